"""The command line: one file for each command, and what commands share for output and options."""

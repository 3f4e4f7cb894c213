"""One file for each command. A command calls a function of a lower package and prints the result."""

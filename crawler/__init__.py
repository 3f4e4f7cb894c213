"""Where documents come from (files, sites), and who drives a run."""

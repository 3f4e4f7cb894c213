"""One migration a file; its name begins with the version that it leads to."""

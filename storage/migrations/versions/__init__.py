"""The migrations, one in each file. The name of a file begins with the version that it leads to."""

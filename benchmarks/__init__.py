"""What is measured and how. Reads corpora from a folder that it is given; holds none itself."""

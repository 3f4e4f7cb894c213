"""One file a command; each calls one function of a package below and shows what it returned."""

"""Four writers and a reader of one database under faults, compared with a run without any; see README.md."""

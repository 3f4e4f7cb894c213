"""What happens to one document: pure functions on typed records. No I/O, no SQL, no network."""

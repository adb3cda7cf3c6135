"""A datastore on a directory."""

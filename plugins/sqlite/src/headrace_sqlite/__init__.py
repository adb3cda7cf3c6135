"""A metadata store in one SQLite file: an index of facts, leases and heartbeats."""

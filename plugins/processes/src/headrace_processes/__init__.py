"""Launchers on this machine: `fork`, `spawn` and `inline`."""

"""Stores plain Python values exactly, type by type, without pickle."""

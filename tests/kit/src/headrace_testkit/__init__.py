"""Conformance tests for plugins: one class for every kind of provider."""

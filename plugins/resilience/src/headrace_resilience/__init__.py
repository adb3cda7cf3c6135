"""Decorators for steps that fail: `@retry`, `@catch` and `@timeout`."""

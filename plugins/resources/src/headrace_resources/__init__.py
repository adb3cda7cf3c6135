"""Decorators for what a step needs: `@resources` and `@environment`."""

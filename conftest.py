"""Loads the workspace's own pytest plugin for every folder of tests."""

pytest_plugins = ["tiers.pytest_plugin"]

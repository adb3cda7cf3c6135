"""Reads back flows, runs, tasks and artifacts from a store; needs no flow file."""

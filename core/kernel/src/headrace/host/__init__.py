"""The plugin host: finds what is installed without importing it, loads what was chosen, and calls the hooks of everyone else."""

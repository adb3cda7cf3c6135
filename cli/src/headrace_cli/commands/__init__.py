"""The commands, one a module, each as `command`. A module is imported when its command is called."""

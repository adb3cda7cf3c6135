"""The command line of headrace: the `flow` program and what runs behind `python FILE run`."""

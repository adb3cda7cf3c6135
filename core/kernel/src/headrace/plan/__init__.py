"""Room 2: configuration, and the one sequence that turns a flow class into a plan. Runs no task and opens no store."""

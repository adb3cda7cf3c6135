"""What is kept, and how: keys, records, artifacts, facts, logs. Knows bytes and JSON; not where they go, nor what a flow's code does."""

"""Room 3: the scheduler. Knows the graph and outcomes; imports no user code and knows nothing of bytes."""

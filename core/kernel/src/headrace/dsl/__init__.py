"""Room 1: the flow language. Alone sees the flow class before a task runs, and turns it into a graph; imports neither attrs nor pluggy to be written."""

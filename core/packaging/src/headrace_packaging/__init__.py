"""The code package of a flow; imported only when a step leaves the machine."""

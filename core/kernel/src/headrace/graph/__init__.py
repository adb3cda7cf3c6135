"""Pure functions of the graph IR: analysis, validity, JSON, and which tasks feed which. Knows no flow class, no store and no clock."""

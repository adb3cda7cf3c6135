"""Room 4: one attempt of one task. Imports user code and knows one step; knows no scheduler."""

"""Stores any picklable value; the labelled last resort, refused where `allow_pickle = false`."""

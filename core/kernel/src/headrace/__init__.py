"""The headrace kernel and the names a flow file needs."""

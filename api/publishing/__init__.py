"""Publishing: the way of a run from a request to a broker."""

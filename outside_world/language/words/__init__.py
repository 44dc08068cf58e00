"""Words: the text of a post made plain, and the parts that all readers search with."""

"""Routes: one module for each group of URLs. A route translates HTTP; the other rooms do the work."""

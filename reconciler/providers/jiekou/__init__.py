"""Kind `jiekou`."""

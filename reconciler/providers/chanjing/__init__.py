"""Kind `chanjing`."""

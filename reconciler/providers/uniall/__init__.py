"""Kind `uniall`."""

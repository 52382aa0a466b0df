"""Kind `http`: a vendor with a submit and a poll, described in the project's own YAML instead of in code."""

"""Kind `draft`: drafts rendered on this machine."""

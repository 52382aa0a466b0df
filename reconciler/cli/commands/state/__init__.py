"""Look into the records of what was bought."""

"""Look into the records of what was bought, and share them."""

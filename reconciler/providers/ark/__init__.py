"""Kinds `ark` and `3hei`: Seedance at the model's owner, and at a reseller in the same form."""

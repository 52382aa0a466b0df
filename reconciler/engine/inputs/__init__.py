"""Inputs of a generation: other clips' frames and videos resolved, local files delivered to providers.

Not allowed here: reading a file outside the folders that the project allows.
"""

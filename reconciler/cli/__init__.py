"""The command line: parses options, makes one call, hands the result to a view. What needs more belongs a layer down.

Typer is imported here and nowhere else; secrets are read here, passed on, and never stored.
"""

"""The command line: parses options, makes one call, hands the result to a view. Typer is imported here and nowhere else;
secrets are read here, passed on, and never stored. What needs more than that belongs a layer down.
"""

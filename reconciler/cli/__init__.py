"""The command line: parses options, makes one call and passes the result to a view. Logic belongs in lower layers.

Only this package imports typer. Secrets are read here, passed on and never stored.
"""

"""One command a file; the file's name is the command's name, and `run` is what it does.

A module here imports typer and `context` at its top and everything else inside `run`, so that `clipform --help` stays
fast however many commands there are. A trailing underscore keeps a name that Python reserves.
"""

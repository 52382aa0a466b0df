"""One module per command: the module's name is the command's name, and `run` implements it.

A module imports typer, `arguments` and `context` at its top and everything else inside `run`, so that
`clipform --help` stays fast. A trailing underscore avoids a Python keyword.
"""

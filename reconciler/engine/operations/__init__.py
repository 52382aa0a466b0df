"""The commands that act, other than `apply`: one file per command, named after it.

Not allowed here: sending a submit. The next apply plans, confirms and makes what must be generated.
"""

"""The commands that act, other than `apply`: one file per command, named after it.

What may not be done here: sending a submit. What must be generated is planned, confirmed and made by the next apply.
"""

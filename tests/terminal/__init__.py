"""What people see: the real command on a terminal of a given size, kept as text and drawn as a picture.

`pane` runs the command and is the terminal: pyte makes cells with colours of what was written. `picture` draws the
cells into `tests/.output/terminal/`, to be looked at. The text of each screen is in `screens/`; `--update` writes it
anew.
"""

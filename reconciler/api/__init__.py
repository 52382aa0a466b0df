"""clipform for programs: `reconciler.open` and what it returns.

It says what the commands say, as values: nothing is printed, no process ends, and problems are raised as
`ClipformError`. Nothing is paid without a plan as argument. This package may use everything below the command line; it
asks nobody: what a person has to agree to is refused.
"""

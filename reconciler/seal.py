"""The seal: what the last plan with nothing to do rested on. The front door asks it before the program is loaded."""


def answer(line: list[str]) -> int | None:
    """Write the answer to a command line if the project's seal holds; return the exit code. None: run the program."""
    return None

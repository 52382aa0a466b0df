"""Run `clipform`, also as `python -m reconciler`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Load the program and run the command line; return its exit code.

    Nothing has begun while it loads, so Ctrl-C then ends the process without a word; later the command handles it.
    """
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # a parent may have it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from reconciler.cli.app import main as run

    signal.signal(signal.SIGINT, handler)
    return run()


if __name__ == "__main__":
    sys.exit(main())

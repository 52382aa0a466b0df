"""Run `clipform` as `python -m reconciler`."""

import sys

from reconciler.cli.app import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m reconciler` is the same program as `clipform`."""

import sys

from reconciler.cli.app import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m enrolpolicy`."""

import sys

from enrolpolicy.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m enrolpolicy.testing` prints the laws."""

import sys

from enrolpolicy.testing import CONTRACTS, laws_of


def main() -> int:
    """Print every law of the three exams: its id, its sentence, what it needs."""
    for contract in CONTRACTS:
        laws = laws_of(contract)
        print(f"{contract.__name__}: {len(laws)} laws\n")
        for law in laws:
            needs = f" [needs {', '.join(law.needs)}]" if law.needs else ""
            print(f"  {law.id:5} {law.sentence}{needs}")
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())

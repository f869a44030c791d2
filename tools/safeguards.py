"""Write the page about safeguards: each is switched off, and the first world in which that shows is told.

python tools/safeguards.py
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "explanation" / "safeguards.md"
sys.path.insert(0, str(ROOT / "tests"))

from sabotages import SABOTAGES, line  # noqa: E402 - the tests are no package

HEAD = """<!-- The table is written by tools/safeguards.py; the tests hold every line of it against what they see. -->

# Which safeguard keeps which promise

For whoever wants to simplify the runner, or to write one of their own. Each line switches one safeguard off and plays small
worlds (one or two runs, one or two people, the troubles of the last column) until a promise breaks. With all of them on, none
does; `tests/nights/test_simulation.py` plays the same worlds, and `make soak` others for as long as one likes.

The promises are numbered as in the code: I1 one enrolment for each key, one open for each person and course; I2 never more
credits than there are; I3 every enrolment at the LMS is known; I4 nothing started is cancelled; I5 no invitation without an
enrolment; I6 whoever is booked is invited, once where the mailer recognises a repetition; I7 no invitation is begun for what is
not booked; I8 nothing is claimed that the policy would not enrol; I9 rows move along the arrows only; I10 accounts do not
touch each other; I11 every move is in the journal. L1 to L4: two clean runs later whoever is wanted is booked, nothing is left
in the middle, what nobody wants is cancelled, and the outbox is empty.

| switched off: | what breaks | what had to happen |
| --- | --- | --- |
"""

TAIL = """
Leases are no safeguard: without them runs get in each other's way, and nothing breaks, because a key makes asking twice the same
as asking once, and a fence lets one of two answers count. They keep runs from doing the same work twice.

Letters that are lost are not a danger either: whoever is booked and was not invited is on the next night's plan, as an
`Invite`. The outbox is there so that the same letter is the same bytes under the same id, however often it is sent.
"""


def main() -> int:
    lines = []
    for sabotage in SABOTAGES:
        played, found = sabotage.explored()
        if found is None or found.invariant not in sabotage.expected:
            print(f"{sabotage.off}: not seen in {played} worlds", file=sys.stderr)
            return 1
        lines.append(line(sabotage, found) + "\n")
    PAGE.write_text(HEAD + "".join(lines) + TAIL, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Processes killed for a long time: `tests/processes/killing.py` with one seed after the other.

    python tools/soak_processes.py [--minutes N] [--seed N]

Ends with 1 where anything was violated, or where a worker without a safeguard was not found out; each line has what
repeats it.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

KILLING = Path(__file__).parents[1] / "tests" / "processes" / "killing.py"
SABOTAGES = ("random-keys", "before-the-claim", "random-ids")


def killing(*arguments: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="enrolpolicy-soak-") as folder:
        command = [sys.executable, str(KILLING), folder, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stderr:
        return {"violations": [done.stderr]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(argv)
    until, seed, broken = time.monotonic() + 60 * arguments.minutes, arguments.seed, 0
    totals: Counter[str] = Counter()
    while time.monotonic() < until:
        dice = random.Random(seed)
        sizes = ("--people", str(dice.choice((40, 150, 400))), "--workers", str(dice.choice((1, 2, 3, 4))))
        chosen = (*sizes, "--kills", "60", "--seed", str(seed))
        found = killing(*chosen)
        violations = found.pop("violations")
        totals.update(found)
        totals["runs"] += 1
        broken += bool(violations)
        print(" ".join(chosen), found, *(violations[:5] or ["clean"]), flush=True)
        seed += 1
    for sabotage in SABOTAGES:
        found = killing("--people", "120", "--kills", "60", "--sabotage", sabotage)
        broken += not found["violations"]
        print("without a safeguard:", sabotage, len(found["violations"]), "violations", flush=True)
    print(dict(totals), f"{broken} of them broken" if broken else "nothing was violated, and every sabotage was seen")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

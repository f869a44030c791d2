"""The simulation for as long as one likes: dice with seeds never thrown before, and all worlds of larger budgets.

    python tools/soak.py [--minutes 10] [--seed N]

The larger budgets have the first half of the time, and say where they were cut off; the rest is for dice. Prints what
it plays. A world in which a promise breaks is told with its seed, which plays it again, and ends it with 1.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from os import cpu_count
from pathlib import Path
from random import SystemRandom

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "nights")]

from test_simulation import EVERYTHING, SETTINGS, WITHIN  # noqa: E402

from simulation import Budget, Found, by_dice, exhaustively  # noqa: E402 - the tests are no package

COMPLETE = {
    "dies, and somebody acts": Budget(runs=1, crash=1, people=1),
    "dies twice, not answered once": Budget(runs=1, crash=2, silence=1),
    "two runs, one dies, a request is late": Budget(runs=2, switch=1, crash=1, late=1),
    "two runs, one pauses, a letter is not taken": Budget(runs=2, switch=1, pause=1, mail=1),
    "two runs, one pauses, somebody acts": Budget(runs=2, pause=1, people=1),
}
AT_ONCE = 500


def dice(name: str, start: int) -> tuple[str, int, Found | None]:
    """A setting, by dice with seeds from `start` on."""
    played, found = by_dice(SETTINGS[name], WITHIN.get(name, EVERYTHING), range(start, start + AT_ONCE))
    return f"{name}, seed {start + played - 1}", played, found


def complete(name: str, budget: str, until: float) -> tuple[str, int, Found | None]:
    """Every world of a setting within a budget, or those that can be played until then."""
    cut_off = False

    def enough() -> bool:
        nonlocal cut_off
        cut_off = time.monotonic() >= until
        return cut_off

    played, found = exhaustively(SETTINGS[name], COMPLETE[budget], enough=enough)
    return f"{name}, {budget}, {'cut off' if cut_off else 'complete'}", played, found


def rounds(seed: int) -> Iterator[tuple[str, int]]:
    """The settings in turn, each with seeds of its own."""
    while True:
        for name in SETTINGS:
            yield name, seed
            seed += AT_ONCE


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9), help="of the first world")
    options = parser.parse_args(arguments)
    start, total = time.monotonic(), 0
    half, until = start + 30 * options.minutes, start + 60 * options.minutes
    print(f"seed {options.seed}", flush=True)
    with ProcessPoolExecutor(cpu_count()) as pool:
        todo = [
            pool.submit(complete, name, budget, half)
            for budget in COMPLETE
            for name in SETTINGS
            if name not in WITHIN or budget.startswith("dies")
        ]
        more = rounds(options.seed)
        while todo:
            what, played, found = todo.pop(0).result()
            total += played
            print(f"{total:>9,} worlds  {what}", flush=True)
            if found is not None:
                print(f"{found.seen}\n  " + "\n  ".join(found.trace), file=sys.stderr)
                pool.shutdown(cancel_futures=True)
                return 1
            while len(todo) < 2 * (cpu_count() or 1) and time.monotonic() < until:
                todo.append(pool.submit(dice, *next(more)))
    print(f"{total:,} worlds, and every promise kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())

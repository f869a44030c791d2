"""A night after a night over columns, beside planning the whole: what it costs by the share of people who changed.

    python benchmarks/standing.py [--people N] [--nights N]

Both plans of each night must have the same actions, or the program fails. Processor time, medians over the nights.
"""

import argparse
import random
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import TypeVar

import numpy as np

from enrolpolicy.bulk import Estate, EstatePlan, Table, estate_of, plan_estate, standing
from registers import ON, register

SHARES = (0.0, 0.001, 0.01, 0.1)
OF_PERSON = ("held_roles", "assignments", "records", "enrolments", "opt_outs")
Out = TypeVar("Out")


def some(estate: Estate, share: float, dice: random.Random) -> Estate:
    """A share of the people of an estate of one account, with all their rows."""
    size = len(estate.personnel)
    people = np.sort(np.array(dice.sample(range(size), int(size * share)), dtype=np.intp))
    place = np.full(size, -1, dtype=np.int32)
    place[people] = np.arange(len(people), dtype=np.int32)
    tables = {"personnel": rows(estate.personnel, people)}
    for name in OF_PERSON:
        table: Table = getattr(estate, name)
        own = rows(table, np.flatnonzero(place[table.ints("person")] >= 0))
        tables[name] = Table(len(own), {**own.columns, "person": place[own.ints("person")]})
    fixed = {name: getattr(estate, name) for name in ("accounts", "courses", "roles", "requirements")}
    return Estate(**fixed, **tables, strays=estate.strays)


def rows(table: Table, chosen: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> Table:
    """Some rows of a table."""
    columns = {
        name: values[chosen] if isinstance(values, np.ndarray) else [values[row] for row in chosen.tolist()]
        for name, values in table.columns.items()
    }
    return Table(len(chosen), columns)


def timed(work: Callable[[], Out]) -> tuple[float, Out]:
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def actions(found: EstatePlan) -> list[list[int]]:
    return [found.actions.ints(name).tolist() for name in ("type", "person", "course", "cycle_on")]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--nights", type=int, default=15)
    options = parser.parse_args()
    dice, estate = random.Random(1), estate_of([register(options.people)])
    spent, kept = timed(lambda: standing(estate, on=ON))
    night, whole = 0, 1.0
    print(f"{options.people} people\n\n| changed | whole | night | times |\n| --- | --- | --- | --- |")
    for share in SHARES:
        wholes, nights = [], []
        for _ in range(options.nights):
            night += 1
            on = ON + timedelta(night)
            changed = some(estate, share, dice) if share else None
            took, entire = timed(lambda on=on: plan_estate(estate, on=on, findings=False))  # type: ignore[misc]
            wholes.append(took)
            took, found = timed(lambda on=on, changed=changed: kept.night(on=on, changed=changed))  # type: ignore[misc]
            nights.append(took)
            if actions(entire) != actions(found):
                raise SystemExit(f"the plans of {on} differ")
        whole = median(wholes)
        print(f"| {share:.1%} | {whole * 1e3:.1f} ms | {median(nights) * 1e3:.2f} ms | {whole / median(nights):.1f} |")
    print(f"\nto begin took {spent / whole:.1f} times as long as to plan the whole")


if __name__ == "__main__":
    main()

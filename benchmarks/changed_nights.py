"""A night after a night: what it costs by the share of people who changed, against planning everybody.

    python benchmarks/changed_nights.py [--people N] [--shares S …] [--nights N]

A `Standing` keeps an estate from night to night. Every night some people, drawn anew, get other records, roles,
bookings and settings of their own, so that the night has them to read, and all pairs whose date has come. Beside it
everybody is planned from the first estate's columns. Times are of the processor, the median of the nights. The plan of
a night is whole: all actions, all who wait, all counts. After the last night the same rows are also planned as a whole;
both must say the same, or the program ends with 1. What reading the changed rows from tables costs is printed beside,
and what keeping the estate adds to the memory of having it.

It does so twice: with all that two years left undone asked for again every night, most of it waiting for credits; and
on an estate with credits enough, of which a plan was carried out the night before, as it is night after night.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import estates
from enrolpolicy.arrow import estate_of_tables
from enrolpolicy.arrow.outcomes import outcomes_of
from enrolpolicy.bulk import SHAPES, EstatePlan, plan_estate, standing
from registers import ON

Tables = dict[str, pa.Table]


def took(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def read(directory: Path) -> Tables:
    return {name: pq.read_table(directory / f"{name}.parquet") for name in SHAPES}


def of_people(tables: Tables, people: Any, *, others: bool = False) -> Tables:
    """All of the settings, and of people only some, or the `others`."""
    found = dict(tables)
    for name, table in tables.items():
        who = "id" if name == "personnel" else "person"
        if who in table.column_names and name not in ("courses", "roles"):
            chosen = pc.is_in(table[who], value_set=people)
            found[name] = table.filter(pc.invert(chosen) if others else chosen)
    return found


def replaced(tables: Tables, changed: Tables, people: Any) -> Tables:
    """Some people as they are now, and the others as they were."""
    rest, found = of_people(tables, people, others=True), dict(tables)
    for name, part in of_people(changed, people).items():
        if len(rest[name]) != len(tables[name]) or len(part) != len(changed[name]):
            found[name] = pa.concat_tables([rest[name], part]).sort_by("account")
    return found


def carried_out(tables: Tables) -> Tables:
    """The tables after a plan was carried out, with as many credits as that took."""
    accounts = tables["accounts"]
    metered = accounts.schema.field("credits")
    none = pa.nulls(len(accounts), metered.type)
    rich = tables | {"accounts": accounts.set_column(accounts.schema.get_field_index("credits"), metered, none)}
    actions = outcomes_of(plan_estate(estate_of_tables(rich), on=ON, findings=False))["actions"]
    done = {kind: actions.filter(pc.field("type") == kind) for kind in ("enrol", "cancel")}
    enrolments = rich["enrolments"]
    cancelled = pc.is_in(enrolments["id"], value_set=done["cancel"]["enrolment"])
    now = pa.scalar(datetime(ON.year, ON.month, ON.day, tzinfo=UTC), enrolments.schema.field("enrolled_at").type)
    booked = done["enrol"]
    size = len(booked)
    told = {
        "id": booked["key"],
        "origin": pa.repeat("auto", size),
        "status": pa.repeat("booked", size),
        "enrolled_at": pa.repeat(now, size),
        "invited_at": pa.repeat(now, size),
        "ended_on": pa.nulls(size, pa.date32()),
        "ended_because": pa.nulls(size, pa.string()),
    }
    new = pa.table(
        [told.get(name, booked[name] if name in booked.column_names else None) for name in enrolments.schema.names],
        schema=enrolments.schema,
    )
    ended = {
        "status": pc.if_else(cancelled, "cancelled", enrolments["status"]),
        "ended_on": pc.if_else(cancelled, pa.scalar(ON), enrolments["ended_on"]),
        "invited_at": pc.coalesce(enrolments["invited_at"], now),
    }
    old = pa.table([ended.get(name, enrolments[name]) for name in enrolments.schema.names], schema=enrolments.schema)
    return rich | {
        "enrolments": pa.concat_tables([old, new]).sort_by(
            [("account", "ascending"), ("person", "ascending"), ("id", "ascending")]
        )
    }


def said(plan: EstatePlan) -> tuple[Any, ...]:
    """What a plan comes to."""
    tables = outcomes_of(plan)
    return (*(tables[name] for name in ("actions", "deferred", "summary")),)


def resident() -> int:
    """The bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def nights(tables: Tables, changed: Tables, share: float, count: int) -> tuple[float, float, float, float, bool]:
    """The median seconds of a night, of planning everybody, of reading what changed; the bytes that keeping the estate
    takes; whether both said the same."""
    everybody = np.array(tables["personnel"]["id"].to_pylist())
    dice, whole = np.random.default_rng(1), estate_of_tables(tables)
    before = resident()
    kept = standing(whole, on=ON)
    size = resident() - before
    kept.night(on=ON)
    moved: set[int] = set()
    seconds: list[tuple[float, float, float]] = []
    plan = None
    for night in range(1, count + 1):
        on = ON + timedelta(night)
        chosen = dice.choice(len(everybody), max(1, round(share * len(everybody))), replace=False)
        moved |= set(chosen.tolist())
        ids = pa.array(everybody[np.sort(chosen)])
        reading, news = took(lambda ids=ids: estate_of_tables(of_people(changed, ids)))  # type: ignore[misc]
        one, plan = took(lambda on=on, news=news: kept.night(on=on, changed=news))  # type: ignore[misc]
        full, _ = took(lambda on=on: plan_estate(whole, on=on, findings=False))  # type: ignore[misc]
        seconds.append((one, full, reading))
    assert plan is not None
    now = estate_of_tables(replaced(tables, changed, pa.array(everybody[sorted(moved)])))
    same = said(plan) == said(plan_estate(now, on=on, findings=False))
    one, full, reading = (statistics.median(part) for part in zip(*seconds, strict=True))
    return one, full, reading, size, same


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=20_000, metavar="N")
    parser.add_argument("--accounts", type=int, metavar="N", help="one for every thousand people, unless given")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.001, 0.01, 0.1, 1.0], metavar="S")
    parser.add_argument("--nights", type=int, default=5, metavar="N")
    options = parser.parse_args()
    accounts = options.accounts or max(1, options.people // 1000)
    with tempfile.TemporaryDirectory() as directory:
        for name, life in (("before", 1), ("after", 2)):
            estates.write(Path(directory) / name, options.people, accounts, life=life)
        tables, changed = (read(Path(directory) / name) for name in ("before", "after"))
    print(f"{options.people:,} people, {accounts:,} accounts, median of {options.nights} nights, processor seconds")
    fine, kept = True, 0.0
    for told, before, after in (
        ("all of it waits", tables, changed),
        ("carried out the night before", carried_out(tables), carried_out(changed)),
    ):
        print(f"  {told}\n  {'changed':>9}{'night':>9}{'everybody':>11}{'×':>8}{'reading':>10}")
        for share in options.shares:
            one, full, reading, size, same = nights(before, after, share, options.nights)
            fine = fine and same
            kept = max(kept, size / options.people)
            wrong = "" if same else "  THEY DISAGREE"
            print(f"  {share:9.1%}{one:9.4f}{full:11.4f}{full / one:8.1f}{reading:10.4f}{wrong}", flush=True)
    print(f"  keeping the estate takes {kept:,.0f} bytes for each person, beside having it")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

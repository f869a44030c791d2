"""From a directory of tables to files of plans, a few accounts at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import final

import pyarrow as pa
import pyarrow.compute as pc
from attrs import frozen

from enrolpolicy.arrow.files import open_tables, written
from enrolpolicy.arrow.outcomes import CANDIDATES, OUTCOMES, outcomes_of, reasons_of
from enrolpolicy.arrow.walking import ROWS
from enrolpolicy.bulk import plan_estate, verdicts
from enrolpolicy.bulk.terms import Nights
from enrolpolicy.findings import ERROR

Name = str | os.PathLike[str]
Told = Callable[[int, int | None], None]
"""Told after every few accounts: how many are done, and of how many, where that is known."""


@final
@frozen(kw_only=True)
class Totals:
    """What planning an estate came to; `held_back` counts the accounts whose plan is not applyable.

    `errors` counts findings of level error, None where none were looked for.
    """

    accounts: int = 0
    enrol: int = 0
    cancel: int = 0
    invite: int = 0
    deferred: int = 0
    held_back: int = 0
    errors: int | None = None


def plan_tables(
    directory: Name,
    *,
    on: Nights,
    out: Mapping[str, Name],
    rows: int = ROWS,
    told: Told = lambda done, of: None,
) -> Totals:
    """Plan the tables of a directory, and write what is asked for: `out` has files by the names of `WRITABLE`.

    Files appear whole, and all at once, when every account has been planned. Findings are only looked for where they
    are written. Raises `InvalidSnapshot` with everything that is wrong with the tables, `OSError` where a file cannot be
    read or written, and `ValueError` for a file whose name ends in nothing known.
    """
    source = open_tables(directory)
    counted: list[dict[str, int]] = []
    done = 0
    with written({name: WRITABLE[what] for what, name in out.items()}) as files:
        sinks = dict(zip(out, files, strict=True))
        for estate in source.estates(rows=rows):
            found = plan_estate(estate, on=on, findings="findings" in out)
            tables = outcomes_of(found)
            if "reasons" in sinks:
                tables["reasons"] = reasons_of(verdicts(estate, on=on))
            for what, sink in sinks.items():
                sink.add(tables[what])
            counted.append(_counted(tables))
            done += len(estate.accounts)
            told(done, source.accounts)
    sums = {name: sum(counts[name] for counts in counted) for name in (counted[0] if counted else ())}
    return Totals(**{**sums, "errors": sums.get("errors", 0) if "findings" in out else None})


WRITABLE: Mapping[str, pa.Schema] = {**OUTCOMES, "reasons": CANDIDATES}
"""What planning can write, and the columns of each."""


def _counted(tables: Mapping[str, pa.Table]) -> dict[str, int]:
    summary = tables["summary"]
    names = ("enrol", "cancel", "invite", "deferred")
    return {
        "accounts": len(summary),
        **{name: pc.sum(summary.column(name)).as_py() or 0 for name in names},
        "held_back": pc.sum(pc.invert(summary.column("applyable"))).as_py() or 0,
        "errors": pc.sum(pc.equal(tables["findings"].column("level"), ERROR)).as_py() or 0,
    }

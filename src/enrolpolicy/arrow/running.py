"""From a directory of tables to files of plans, a few accounts at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import final

import pyarrow as pa
from attrs import evolve, fields, frozen

from enrolpolicy.arrow.files import open_tables, written
from enrolpolicy.arrow.kernels import total
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
    are written. Raises `InvalidSnapshot` with everything that is wrong with the tables, `OSError` where a file cannot
    be read or written, and `ValueError` for a file whose name ends in nothing known.
    """
    source = open_tables(directory)
    counted: list[Totals] = []
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
    return _sum(counted, findings="findings" in out)


WRITABLE: Mapping[str, pa.Schema] = {**OUTCOMES, "reasons": CANDIDATES}
"""What planning can write, and the columns of each."""


def _counted(tables: Mapping[str, pa.Table]) -> Totals:
    summary = tables["summary"]
    return Totals(
        accounts=len(summary),
        **{name: total(summary.column(name)) for name in ("enrol", "cancel", "invite", "deferred")},
        held_back=len(summary) - total(summary.column("applyable")),
        errors=tables["findings"].column("level").to_pylist().count(ERROR),
    )


def _sum(counted: Iterable[Totals], *, findings: bool) -> Totals:
    sums = {part.name: 0 for part in fields(Totals)}
    for one in counted:
        for name in sums:
            sums[name] += getattr(one, name)
    found = Totals(**sums)
    return found if findings else evolve(found, errors=None)

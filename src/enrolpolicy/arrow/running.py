"""From a directory of tables to files of plans, a few accounts at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import final

import pyarrow as pa
from attrs import evolve, fields, frozen

from enrolpolicy.arrow.files import open_tables, written
from enrolpolicy.arrow.kernels import total
from enrolpolicy.arrow.outcomes import CANDIDATES, OUTCOMES, outcomes_of, reasons_of
from enrolpolicy.arrow.walking import ROWS
from enrolpolicy.bulk import Estate, plan_estate, verdicts
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


WRITABLE: Mapping[str, pa.Schema] = {**OUTCOMES, "reasons": CANDIDATES}
"""What planning can write, and the columns of each."""
_COUNTED = "summary"
"""What is always made: it is what the totals are counted from."""

Part = Mapping[str, pa.Table]
"""Tables of the plans of some accounts, by the names of `WRITABLE`."""


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
    parts = (plans_of_estate(estate, on=on, what=out) for estate in source.estates(rows=rows))
    return write_plans(_telling(parts, source.accounts, told), out)


def _telling(parts: Iterable[Part], accounts: int | None, told: Told) -> Iterator[Part]:
    done = 0
    for part in parts:
        yield part
        done += len(part[_COUNTED])
        told(done, accounts)


def plans_of_estate(estate: Estate, *, on: Nights, what: Container[str] = OUTCOMES) -> dict[str, pa.Table]:
    """The plans of an estate's accounts as those tables of `WRITABLE` that are asked for, and the summary."""
    found = outcomes_of(plan_estate(estate, on=on, findings="findings" in what))
    if "reasons" in what:
        found["reasons"] = reasons_of(verdicts(estate, on=on))
    return {name: table for name, table in found.items() if name in what or name == _COUNTED}


def write_plans(parts: Iterable[Part], out: Mapping[str, Name]) -> Totals:
    """Write plans that come in parts, by ascending account; the bytes do not tell in which parts they came."""
    counted: list[Totals] = []
    with written({name: WRITABLE[what] for what, name in out.items()}) as files:
        for part in parts:
            for what, sink in zip(out, files, strict=True):
                sink.add(part[what])
            counted.append(_counted(part))
    return _sum(counted, findings="findings" in out)


def _counted(tables: Part) -> Totals:
    summary = tables[_COUNTED]
    return Totals(
        accounts=len(summary),
        **{name: total(summary.column(name)) for name in ("enrol", "cancel", "invite", "deferred")},
        held_back=len(summary) - total(summary.column("applyable")),
        errors=tables["findings"].column("level").to_pylist().count(ERROR) if "findings" in tables else 0,
    )


def _sum(counted: Iterable[Totals], *, findings: bool) -> Totals:
    sums = {part.name: 0 for part in fields(Totals)}
    for one in counted:
        for name in sums:
            sums[name] += getattr(one, name)
    found = Totals(**sums)
    return found if findings else evolve(found, errors=None)

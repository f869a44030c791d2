"""What cannot be meant so in an estate (rule 7): the object engine's findings, of the rows in which there can be any.

Columns pick out the rows that look odd; they may pick too many, never too few. Of those, and what they refer to, a
small snapshot is made, for the object engine to say what it finds. A finding's path says where a row stands in the
canonical snapshot of its whole account, so the place it has in the small one is put right.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.columns import Estate, Ints, Table
from enrolpolicy.bulk.oddities import PICKED, expires
from enrolpolicy.bulk.snapshots import Chosen, day_of, rows_of, snapshot_of
from enrolpolicy.canonical import canonical
from enrolpolicy.findings import TABLES, findings_in
from enrolpolicy.model import Level, Snapshot
from enrolpolicy.plans import Finding


def noticed(estate: Estate, on: Ints) -> tuple[tuple[Finding, ...], ...]:
    """The findings of each account, on its night."""
    odd = {name: pick(estate, on) for name, pick in PICKED.items()}
    return tuple(
        tuple(row for table in TABLES for row in _found(_Account(estate, account, day_of(night)), table, odd[table]))
        for account, night in enumerate(on.tolist())
    )


@final
@frozen(eq=False)
class _Account:
    """One account of an estate, by its row, on its night."""

    estate: Estate
    row: int
    on: date

    def of(self, table: str, rows: Rows) -> Sequence[int]:
        """Those of some rows, which stand in order, that are this account's."""
        account = rows if table == "account" else getattr(self.estate, table).ints("account")[rows]
        first, last = np.searchsorted(account, (self.row, self.row + 1)).tolist()
        return [int(row) for row in rows[first:last]]


def _found(here: _Account, table: str, odd: Rows) -> Iterator[Finding]:
    """The findings about a table of an account."""
    rows = here.of(table, odd)
    astray = _ASTRAY.get(table, table)
    if not rows and (table == "account" or not len(rows_of(here.estate.strays[astray], here.row))):
        return
    small, strays = _SMALL[table](here, rows)
    snapshot = snapshot_of(here.estate, here.row, small, strays)
    if table == "account":
        yield from findings_in(table, snapshot, here.on)
        return
    snapshot = canonical(snapshot, (table,))
    places = _PLACES[table](here, snapshot)
    for finding in findings_in(table, snapshot, here.on):
        place = places[int(_PLACE.findall(finding.path)[0])]
        yield evolve(finding, path=_PLACE.sub(f"[{place}]", finding.path, count=1))


_PLACE = re.compile(r"(?<=[a-z])\[(\d+)\]")
_ASTRAY = {"roles": "requirements", "personnel": "held_roles"}
"""The tables whose strays are told of where they stand inside another."""


# What a small snapshot has to hold

Small = tuple[Chosen, tuple[str, ...]]
"""Some rows of each table, and the tables whose strays are in it."""


def _small_account(here: _Account, rows: Sequence[int]) -> Small:
    return {}, ()


def _small_courses(here: _Account, rows: Sequence[int]) -> Small:
    """The courses, a row for each level at which one is asked for, and a record of each that expires."""
    estate = here.estate
    records = _of_account(estate.records, here.row)
    expiring = records[expires(estate)[records]]
    _, one = np.unique(estate.records.ints("course")[expiring], return_index=True)
    requirements = _one_each(estate.requirements, here.row)
    small = {
        "courses": rows,
        "roles": np.unique(estate.requirements.ints("role")[requirements]).tolist(),
        "requirements": requirements,
        "assignments": _one_each(estate.assignments, here.row),
        "records": expiring[one].tolist(),
    }
    return small, ("assignments", "records")


def _one_each(table: Table, account: int) -> list[int]:
    """A row for each course and level."""
    rows = _of_account(table, account)
    _, one = np.unique(table.ints("course")[rows] * len(Level) + table.choices("level")[rows], return_index=True)
    return [int(row) for row in rows[one]]


def _of_account(table: Table, account: int) -> Rows:
    rows = rows_of(table, account)
    return np.arange(rows.start, rows.stop)


def _small_roles(here: _Account, rows: Sequence[int]) -> Small:
    """The roles that ask for something unknown, with all they ask for."""
    estate = here.estate
    astray = estate.strays["requirements"]
    ids = {astray.ids("role")[row] for row in rows_of(astray, here.row)}
    roles = [row for row in rows_of(estate.roles, here.row) if estate.roles.ids()[row] in ids]
    requirements = np.flatnonzero(np.isin(estate.requirements.ints("role"), roles))
    courses = np.unique(estate.requirements.ints("course")[requirements])
    return {"roles": roles, "requirements": requirements.tolist(), "courses": courses.tolist()}, ("requirements",)


def _small_personnel(here: _Account, rows: Sequence[int]) -> Small:
    """The people, and the roles they hold."""
    held = here.estate.held_roles
    first, last = (np.searchsorted(held.ints("person"), rows, side=side) for side in ("left", "right"))
    theirs = [row for low, high in zip(first.tolist(), last.tolist(), strict=True) for row in range(low, high)]
    roles = np.unique(held.ints("role")[theirs]).tolist() if theirs else []
    return {"personnel": rows, "held_roles": theirs, "roles": roles}, ("held_roles",)


def _small_pairs(name: str) -> Callable[[_Account, Sequence[int]], Small]:
    """The rows of the pairs that some rows are of, and whom and what they and the strays are about."""

    def small(here: _Account, rows: Sequence[int]) -> Small:
        table: Table = getattr(here.estate, name)
        chosen = _alike(table, here, rows) if rows else np.empty(0, dtype=np.intp)
        people, courses = (set(table.ints(of)[chosen].tolist()) for of in ("person", "course"))
        astray = here.estate.strays[name]
        for row in rows_of(astray, here.row):
            people |= _row_of(here, "personnel", astray.ids("person")[row])
            courses |= _row_of(here, "courses", astray.ids("course")[row])
        small = {name: chosen.tolist(), "personnel": sorted(people), "courses": sorted(courses)}
        return small, (name,)

    return small


def _row_of(here: _Account, name: str, id: str) -> set[int]:
    """The row of an id, where there is one."""
    table: Table = getattr(here.estate, name)
    rows = rows_of(table, here.row)
    row = rows.start + bisect_left(rows, id, key=table.ids().__getitem__)
    return {row} if row < rows.stop and table.ids()[row] == id else set()


def _pair(table: Table) -> NDArray[np.int64]:
    return table.ints("person").astype(np.int64) << 32 | table.ints("course")


def _alike(table: Table, here: _Account, rows: Sequence[int]) -> Rows:
    """All rows of the pairs of some."""
    mine = _of_account(table, here.row)
    pairs = _pair(table)
    return mine[np.isin(pairs[mine], pairs[list(rows)])]


_SMALL: Mapping[str, Callable[[_Account, Sequence[int]], Small]] = {
    "account": _small_account,
    "courses": _small_courses,
    "roles": _small_roles,
    "personnel": _small_personnel,
    **{name: _small_pairs(name) for name in ("assignments", "records", "enrolments", "opt_outs")},
}


# Where rows stand in the whole account


def _by_id(name: str) -> Callable[[_Account, Snapshot], Sequence[int]]:
    """Rows that stand by their ids, as in the estate."""

    def places(here: _Account, small: Snapshot) -> Sequence[int]:
        table: Table = getattr(here.estate, name)
        rows = rows_of(table, here.row)
        return [bisect_left(rows, row.id, key=table.ids().__getitem__) for row in getattr(small, name)]

    return places


def _of_enrolments(here: _Account, small: Snapshot) -> Sequence[int]:
    """Enrolments stand by their ids, strays among them."""
    ids = []
    for table in (here.estate.enrolments, here.estate.strays["enrolments"]):
        ids += [table.ids()[row] for row in rows_of(table, here.row)]
    ids.sort()
    return [bisect_left(ids, row.id) for row in small.enrolments]


def _by_pair(name: str) -> Callable[[_Account, Snapshot], Sequence[int]]:
    """Rows that stand by person and course, strays among them, each different row once."""

    def places(here: _Account, small: Snapshot) -> Sequence[int]:
        table: Table = getattr(here.estate, name)
        standing = np.sort(_pair(table)[_each_once(table, here.row)])
        keys = [(row.person, row.course) for row in getattr(small, name)]
        first = {key: place for place, key in reversed(list(enumerate(keys)))}
        astray = [key for key in keys if not _is_known(here, key)]
        before = {
            key: int(np.searchsorted(standing, _before(here, key))) + sum(other < key for other in astray)
            for key in first
        }
        return [before[key] + place - first[key] for place, key in enumerate(keys)]

    return places


def _is_known(here: _Account, key: tuple[str, str]) -> bool:
    return bool(_row_of(here, "personnel", key[0]) and _row_of(here, "courses", key[1]))


def _before(here: _Account, key: tuple[str, str]) -> int:
    """The least pair that stands where one does or after it."""
    tables = here.estate.personnel, here.estate.courses
    person, course = (
        rows.start + bisect_left(rows, id, key=table.ids().__getitem__)
        for table, id, rows in ((table, id, rows_of(table, here.row)) for table, id in zip(tables, key, strict=True))
    )
    known = _row_of(here, "personnel", key[0])
    return person << 32 | (course if known else 0)


def _each_once(table: Table, account: int) -> Rows:
    """The rows of an account, of those that say the same only one."""
    rows = _of_account(table, account)
    pairs = _pair(table)[rows]
    order = np.argsort(pairs, kind="stable")
    alike = pairs[order][1:] == pairs[order][:-1]
    several = np.zeros(len(rows), dtype=np.bool_)
    several[order[1:][alike]] = several[order[:-1][alike]] = True
    some = np.flatnonzero(several)
    said = [values[rows[some]] for values in table.columns.values() if isinstance(values, np.ndarray)]
    if not len(some):
        return rows
    by = np.lexsort(said)
    same = np.all([column[by][1:] == column[by][:-1] for column in said], axis=0)
    return np.delete(rows, some[by[1:][same]])


_PLACES: Mapping[str, Callable[[_Account, Snapshot], Sequence[int]]] = {
    "courses": _by_id("courses"),
    "roles": _by_id("roles"),
    "personnel": _by_id("personnel"),
    "assignments": _by_pair("assignments"),
    "records": _by_pair("records"),
    "enrolments": _of_enrolments,
    "opt_outs": _by_pair("opt_outs"),
}

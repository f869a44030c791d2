"""The few pairs that columns leave to the object engine, whose functions are asked with rows made for them alone.

Bookings that have ended where columns are in doubt, and renewals whose expiry follows from the one before or that were
taken longer ago than the tables of expiries reach.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, TypeVar, final

import numpy as np
from attrs import frozen

from enrolpolicy.bookings import REQUESTED, Bookings, bookings
from enrolpolicy.bulk.assembly import EPOCH, FIRST, Rows, one_after_another
from enrolpolicy.bulk.blocks import Block, Part
from enrolpolicy.bulk.codes import RECORDED, STANDINGS
from enrolpolicy.bulk.columns import NONE, SHAPES, Ints, Table
from enrolpolicy.bulk.counting import Counted
from enrolpolicy.bulk.picking import at
from enrolpolicy.bulk.snapshots import account_of, courses_of, cycle_of, day_of, said_by
from enrolpolicy.bulk.terms import NEVER, Terms
from enrolpolicy.model import EnrolmentStatus, TrainingRecord
from enrolpolicy.night import course_night

Located = tuple[Part, Rows]
"""Rows of a block, and the cell of each."""

_Row = TypeVar("_Row")


@final
@frozen
class _Booked:
    """What is looked at of an enrolment; a row of the model would be checked again, which costs more than the rest."""

    cycle: str | None
    ended_because: str | None
    status: EnrolmentStatus
    enrolled_at: datetime
    ended_on: date | None


def odd_renewals(block: Block, terms: Terms, counted: Counted) -> Iterator[tuple[int, tuple[int, int, int]]]:
    """The odd cells of a block: the completion that counts and its expiry, and the status digit."""
    cells = counted.odd
    if not len(cells):
        return
    records = _records(block, (counted.part, counted.cell), cells)
    accounts = block.account[cells // block.width].tolist()
    for cell, account, row in zip(cells.tolist(), accounts, block.course(cells).tolist(), strict=True):
        [course] = courses_of(block.estate, (row,))
        here = course_night(account_of(block.estate, account), course, day_of(int(terms.on[account])))
        found = here.renewal(records[cell])
        if found.completed_on is None:
            completed, expiry = FIRST, NONE
        else:
            completed = found.completed_on.toordinal() - EPOCH
            expiry = NEVER if found.expires_on is None else found.expires_on.toordinal() - EPOCH
        yield cell, (completed, expiry, STANDINGS.index(here.code_of(found), RECORDED))


def bookings_of(
    block: Block, terms: Terms, counted: Counted, booked: Located, cells: Rows, places: Rows
) -> Iterator[tuple[int, Bookings, date]]:
    """What the bookings at some places of ascending cells come to; each place, and the night it is read on."""
    if not len(places):
        return
    estate, some = block.estate, cells[places]
    enrolments = _enrolments(block, booked, some)
    completed = some[[any(map(_is_completed, enrolments[cell])) for cell in some.tolist()]]
    # The records of others are not looked at.
    records = _taken(block, (counted.part, counted.cell), completed)
    cycles = counted.cycle(some)
    asked_on = _asked_on(block, some[cycles == FIRST])
    accounts = block.account[some // block.width].tolist()
    for place, cell, account, cycle_on in zip(places.tolist(), some.tolist(), accounts, cycles.tolist(), strict=True):
        timezone = estate.accounts.texts("timezone")[account] or ""
        held = bookings(enrolments[cell], records.get(cell, ()), cycle_of(cycle_on), asked_on.get(cell), timezone)
        yield place, held, day_of(int(terms.on[account]))


def _is_completed(enrolment: _Booked) -> bool:
    return enrolment.status is EnrolmentStatus.COMPLETED


def _enrolments(block: Block, located: Located, cells: Rows) -> Mapping[int, list[_Booked]]:
    """The enrolments of some cells; the texts that count are made of what was worked out from them before."""
    table = block.estate.enrolments
    cycle_on, requested = table.ints("cycle_on"), table.flags("requested")
    return _by_cell(
        (
            cell,
            _Booked(
                cycle=None if cycle_on[row] == NONE else cycle_of(int(cycle_on[row])),
                ended_because=REQUESTED if requested[row] else None,
                **said,
            ),
        )
        for cell, row, said in _said(block, "enrolments", located, cells, ("status", "enrolled_at", "ended_on"))
    )


@final
@frozen
class _Taken:
    """What is looked at of a training record where only bookings are asked about."""

    completed_on: date


def _taken(block: Block, located: Located, cells: Rows) -> Mapping[int, list[_Taken]]:
    """The records of some cells, as far as bookings are concerned."""
    said = _said(block, "records", located, cells, ("completed_on",))
    return _by_cell((cell, _Taken(**row)) for cell, _, row in said)


_PAIR = ("person", "course")
_NOBODY = "-"
"""Looking an id up would cost more than all the rest."""
_OF_RECORDS = tuple(column.name for column in SHAPES["records"].columns if column.name not in ("account", *_PAIR))


def _records(block: Block, located: Located, cells: Rows) -> Mapping[int, list[TrainingRecord]]:
    """The records of some cells."""
    said = _said(block, "records", located, cells, _OF_RECORDS)
    return _by_cell((cell, TrainingRecord(person=_NOBODY, course=_NOBODY, **row)) for cell, _, row in said)


def _said(
    block: Block, name: str, located: Located, cells: Rows, columns: Collection[str]
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Where each row of some cells belongs, where it stands in its table, and what it says in some columns."""
    table: Table = getattr(block.estate, name)
    at, rows = _of_cells(block, located, cells)
    return zip(at, rows, said_by(block.estate, name, table, rows, columns), strict=True)


def _by_cell(rows: Iterable[tuple[int, _Row]]) -> Mapping[int, list[_Row]]:
    found: dict[int, list[_Row]] = {}
    for cell, row in rows:
        found.setdefault(cell, []).append(row)
    return found


def rows_of_cells(block: Block, located: Located, cells: Rows) -> Rows:
    """Which rows of a part are of some cells."""
    part, cell = located
    lines = np.unique(cells // block.width)
    first = np.searchsorted(part.line, lines)
    theirs = one_after_another(first, np.searchsorted(part.line, lines + 1) - first)
    wanted = np.zeros(block.cells, dtype=np.bool_)
    wanted[cells] = True
    return theirs[np.flatnonzero(at(wanted, at(cell, theirs)))]


def _of_cells(block: Block, located: Located, cells: Rows) -> tuple[list[int], list[int]]:
    """The rows of some cells: where each belongs, and where it stands in its table."""
    part, cell = located
    rows = rows_of_cells(block, located, cells)
    return cell[rows].tolist(), part.place(rows).tolist()


def _asked_on(block: Block, cells: Rows) -> Mapping[int, date]:
    """The latest date on which each training was asked of the person, where anybody noted one."""
    if not len(cells):
        return {}
    estate, latest = block.estate, dict.fromkeys(cells.tolist(), NONE)
    own = block.part("assignments")
    for cell, row in zip(*_of_cells(block, (own, block.cell(own)), cells), strict=True):
        latest[cell] = max(latest[cell], int(estate.assignments.ints("assigned_on")[row]))
    held = block.part("held_roles")
    askers = _askers(estate.requirements, np.unique(block.course(cells)).tolist())
    lines, courses = cells // block.width, block.course(cells)
    for cell, line, course in zip(cells.tolist(), lines.tolist(), courses.tolist(), strict=True):
        first, last = np.searchsorted(held.line, (line, line + 1)).tolist()
        asking = np.isin(held.ints("role")[first:last], askers[course])
        latest[cell] = int(held.ints("assigned_on")[first:last][asking].max(initial=latest[cell]))
    return {cell: day_of(day) for cell, day in latest.items() if day != NONE}


def _askers(requirements: Table, courses: Iterable[int]) -> Mapping[int, Ints]:
    """The roles that ask for each course."""
    course, role = requirements.ints("course"), requirements.ints("role")
    return {one: role[course == one] for one in courses}

"""The pairs of a block, read on their nights: a code for each, as `enrolpolicy.night` has one for any pair.

Columns do the many that are alike. The few that are not (bookings of this cycle that have ended, expiries that follow
from one another) are handed to the object engine, as a small snapshot of just them, and what it reads is put in.
"""

from collections.abc import Mapping
from typing import final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from enrolpolicy.bookings import OPEN
from enrolpolicy.bulk.asking import asked, opted_out
from enrolpolicy.bulk.assembly import EPOCH, FIRST, Rows
from enrolpolicy.bulk.blocks import Block, Part
from enrolpolicy.bulk.codes import OPEN_BIT, OPTED_OUT_BIT, RECORDED, STANDINGS, STATUS_FACTS, settled
from enrolpolicy.bulk.columns import Choices, Flags, Table
from enrolpolicy.bulk.counting import Counted, count
from enrolpolicy.bulk.snapshots import day_of, snapshot_of
from enrolpolicy.bulk.terms import NEVER, Terms
from enrolpolicy.lifecycle import ENDED
from enrolpolicy.model import EnrolmentStatus
from enrolpolicy.night import Night, Reading, night

_OPEN = np.array([status in OPEN for status in EnrolmentStatus])
_ENDED = np.array([status in ENDED for status in EnrolmentStatus])


@final
@frozen(eq=False, kw_only=True)
class ReadBlock:
    """A block after it was read: by cell the code, and the place in the table of what is said of it (`Codes.reasons`).

    `bookings` are its people's enrolments, `booked` their cells; `attempts` is 0 for a cell that is not in it.
    """

    block: Block
    codes: NDArray[np.uint32]
    reasons: Choices
    counted: Counted
    bookings: Part
    booked: Rows
    attempts: Mapping[int, int]


def read(block: Block, terms: Terms, *, fully: bool = False) -> ReadBlock:
    """Read a block; `fully` looks at all bookings, also of those who are left out for something before any."""
    counted = count(block, terms)
    status = np.zeros(block.cells, dtype=np.uint8)
    status[counted.cell] = counted.digit[counted.best[counted.cell]]
    readings = _by_objects(block, terms, counted.odd)
    for cell, reading in readings.items():
        _settle(counted, status, cell, reading)
    bookings = block.part(block.estate.enrolments)
    booked = block.cell(bookings)
    status[booked] = np.maximum(status[booked], RECORDED)
    own = asked(block, terms)
    own |= status
    own[opted_out(block)] |= OPTED_OUT_BIT
    own[booked[_OPEN[bookings.choices("status")]]] |= OPEN_BIT
    codes = _whole(block, terms, own)
    reasons = terms.codes.reasons(codes)
    ended = _ENDED[bookings.choices("status")] & (bookings.ints("cycle_on") == counted.cycle(booked))
    looked_at = np.unique(booked[ended])
    if not fully:
        looked_at = looked_at[~settled(reasons[looked_at])]
    readings |= _by_objects(block, terms, np.setdiff1d(looked_at, list(readings)).astype(np.intp))
    if readings:
        cells = np.array(list(readings))
        codes[cells] |= np.array([terms.codes.rare(reading.code) for reading in readings.values()], dtype=np.uint32)
        reasons[cells] = terms.codes.reasons(codes[cells])
    return ReadBlock(
        block=block,
        codes=codes,
        reasons=reasons,
        counted=counted,
        bookings=bookings,
        booked=booked,
        attempts={cell: reading.bookings.attempt for cell, reading in readings.items()},
    )


def _whole(block: Block, terms: Terms, own: Choices) -> NDArray[np.uint32]:
    """The codes, from what each cell has of its own, its person's, and its course's."""
    starts = terms.starts["courses"]
    low, high = int(block.account.min()), int(block.account.max())
    profiles = np.zeros((high - low + 1, block.width), dtype=np.uint32)
    for account in range(low, high + 1):
        profile = terms.profile[starts[account] : starts[account + 1]]
        profiles[account - low, : len(profile)] = profile
    codes = own.reshape(block.lines, block.width) | terms.digits[block.people][:, None]
    codes |= profiles if low == high else profiles[block.account - low]
    return codes.reshape(-1)


# The few


def _settle(counted: Counted, status: Choices, cell: int, reading: Reading) -> None:
    renewal = reading.renewal
    completed = FIRST if renewal.completed_on is None else renewal.completed_on.toordinal() - EPOCH
    expiry = NEVER if renewal.expires_on is None else renewal.expires_on.toordinal() - EPOCH
    counted.settle(cell, completed, expiry)
    status[cell] = STANDINGS.index(reading.code & STATUS_FACTS, RECORDED)


def _by_objects(block: Block, terms: Terms, cells: Rows) -> dict[int, Reading]:
    """What the object engine reads of some cells."""
    found: dict[int, Reading] = {}
    if not len(cells):
        return found
    accounts = block.account[cells // block.width]
    ids = block.estate.personnel.ids(), block.estate.courses.ids()
    for account in np.unique(accounts).tolist():
        here = cells[accounts == account]
        tonight = _night(block, here, account, int(terms.on[account]))
        for cell, person, course in zip(
            here.tolist(), block.person(here).tolist(), block.course(here).tolist(), strict=True
        ):
            found[cell] = tonight.read(ids[0][person], ids[1][course])
    return found


def _night(block: Block, cells: Rows, account: int, on: int) -> Night:
    """A night of one account, in which there is nothing but some cells."""
    estate = block.estate
    wanted = np.zeros(block.cells, dtype=np.bool_)
    wanted[cells] = True
    lines = np.zeros(block.lines, dtype=np.bool_)
    lines[cells // block.width] = True
    courses = np.unique(block.course(cells))
    held = block.part(estate.held_roles)
    held_rows = held.place(np.flatnonzero(lines[held.line]))
    roles = np.unique(estate.held_roles.ints("role")[held_rows])
    chosen = {
        "courses": courses,
        "roles": roles,
        "requirements": _asking(estate.requirements, roles, courses),
        "personnel": np.unique(block.person(cells)),
        "held_roles": held_rows,
    }
    for name in ("assignments", "records", "enrolments", "opt_outs"):
        part = block.part(getattr(estate, name))
        chosen[name] = part.place(np.flatnonzero(wanted[block.cell(part)]))
    rows = {name: some.tolist() for name, some in chosen.items()}
    return night(snapshot_of(estate, account, rows), day_of(on))


def _asking(requirements: Table, roles: Rows, courses: Rows) -> Rows:
    """The requirements of some roles that are about some courses."""
    role = requirements.ints("role")
    low, high = np.searchsorted(role, roles), np.searchsorted(role, roles, side="right")
    rows = np.concatenate([np.arange(first, last) for first, last in zip(low, high, strict=True)] or [low])
    asking: Flags = np.isin(requirements.ints("course")[rows], courses)
    return rows[asking]

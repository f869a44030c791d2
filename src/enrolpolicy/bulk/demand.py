"""What each pair asks for by itself: who is to be enrolled, and what becomes of bookings (rules 3 and 5)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from enrolpolicy.bulk.answers import REASONS, Whole, triggers, withdrawn
from enrolpolicy.bulk.assembly import picked
from enrolpolicy.bulk.blocks import Part
from enrolpolicy.bulk.codes import BYTES, ENROLS, FIRST_REASON, REQUIRED_BIT
from enrolpolicy.bulk.columns import NO_INSTANT, NONE, Estate, Flags, Table, Values
from enrolpolicy.bulk.picking import at, either, histogram
from enrolpolicy.bulk.reading import ReadBlock
from enrolpolicy.bulk.terms import NEVER
from enrolpolicy.model import EnrolmentStatus, Origin
from enrolpolicy.night import OTHER_CYCLE
from enrolpolicy.policy import TRIGGERS, WITHDRAWALS

CAUSES: tuple[str, ...] = tuple(row.id for row in (*TRIGGERS, *WITHDRAWALS))
"""Why anything is done; a `because` is a place among them."""
_SAID = FIRST_REASON + len(REASONS)
STAYS = len(CAUSES)
"""In the place of a cause: nothing withdraws a booking."""
_TRIGGERED = triggers(BYTES)
"""What triggers look at is in the lowest byte: all there is to know of where the training stands."""
_BOOKED = list(EnrolmentStatus).index(EnrolmentStatus.BOOKED)
_AUTO = list(Origin).index(Origin.AUTO)


def tally(read: ReadBlock, counts: NDArray[np.int64]) -> None:
    """Add how many pairs of each account of a block have each reason, in the order of `REASONS`."""
    account, width = read.block.account, read.block.width
    low, high = int(account[0]), int(account[-1])
    ends = np.searchsorted(account, np.arange(low, high + 2)) * width
    for here, (first, last) in enumerate(pairwise(ends.tolist()), low):
        counts[here] += histogram(read.reasons[first:last], _SAID)[FIRST_REASON:]


def enrolling(read: ReadBlock) -> Table:
    """Those of a block who are to be enrolled, by person and course: lowest byte, cycle, attempt and expiry."""
    cells, block = np.flatnonzero(read.reasons == ENROLS), read.block
    attempt = np.zeros(len(cells), dtype=np.int32)
    again = np.flatnonzero(read.reasons[read.held.cells] == ENROLS)
    attempt[np.searchsorted(cells, read.held.cells[again])] = read.held.attempt[again]
    cycle_on, until = read.counted.terms(cells)
    columns: dict[str, Values] = {
        "person": block.person(cells).astype(np.int32),
        "course": block.course(cells).astype(np.int32),
        "own": at(read.own, cells),
        "cycle_on": cycle_on,
        "until": until,
        "attempt": attempt,
    }
    return Table(len(cells), columns)


def demanded(estate: Estate, enrolling: Table) -> Table:
    """Their demand: with account, trigger, level and cost, and the expiry of what has one."""
    course, until, own = enrolling.ints("course").astype(np.intp), enrolling.ints("until"), enrolling.choices("own")
    return Table(
        len(enrolling),
        {
            **{name: enrolling.columns[name] for name in ("person", "course", "cycle_on", "attempt")},
            "account": at(estate.courses.ints("account"), course),
            "because": _TRIGGERED.take(own),
            "required": (own & np.uint8(REQUIRED_BIT)) != 0,
            "expires_on": either(until == NEVER, NONE, until),
            "credits": at(estate.courses.ints("credit_cost"), course),
        },
    )


def ours_and_booked(enrolments: Table | Part) -> Flags:
    """Which bookings this policy may withdraw, or invite to: made by it, and not started."""
    ours: Flags = (enrolments.choices("status") == _BOOKED) & (enrolments.choices("origin") == _AUTO)
    return ours


def looked_after(read: ReadBlock) -> Table:
    """The bookings of a block that are this policy's, with the facts of each."""
    block, part = read.block, read.bookings
    ours = np.flatnonzero(ours_and_booked(part))
    cells = read.booked[ours]
    other = part.ints("cycle_on")[ours] != read.counted.cycle(cells)
    return Table(
        len(ours),
        {
            "account": block.account[cells // block.width],
            "person": block.person(cells).astype(np.int32),
            "course": block.course(cells).astype(np.int32),
            "enrolment": part.place(ours).astype(np.int32),
            "facts": read.terms.codes.facts(read.codes(cells)) | other * OTHER_CYCLE,
        },
    )


def upkeep(estate: Estate, bookings: Table) -> Table:
    """What is done about bookings: withdrawn for a cause, or invited to again (`because` is `STAYS`)."""
    chosen = estate.accounts.ints("withdraw_when")[bookings.ints("account")]
    cause = withdrawn(cast("Whole", bookings.columns["facts"]), chosen) + np.uint8(len(TRIGGERS))
    unsent = estate.enrolments.instants("invited_at")[bookings.ints("enrolment")] == NO_INSTANT
    unsent &= estate.personnel.flags("reachable")[bookings.ints("person")]
    named = Table(len(bookings), {**bookings.columns, "because": cause})
    return where(named, (cause != STAYS) | unsent)


Columns = Mapping[str, type[np.generic]]
"""What a table has, and what it is made of."""
ENROLLING: Columns = {
    "person": np.int32,
    "course": np.int32,
    "own": np.uint8,
    "cycle_on": np.int32,
    "until": np.int32,
    "attempt": np.int32,
}
DEMAND: Columns = {
    "account": np.int32,
    "person": np.int32,
    "course": np.int32,
    "cycle_on": np.int32,
    "attempt": np.int32,
    "because": np.uint8,
    "required": np.bool_,
    "expires_on": np.int32,
    "credits": np.int32,
}
BOOKED: Columns = {
    "account": np.int32,
    "person": np.int32,
    "course": np.int32,
    "enrolment": np.int32,
    "facts": np.int64,
}
UPKEEP: Columns = {
    "account": np.int32,
    "person": np.int32,
    "course": np.int32,
    "because": np.uint8,
    "enrolment": np.int32,
}


def together(columns: Columns, tables: Sequence[Table]) -> Table:
    """The rows of some tables, one after another."""
    joined: dict[str, Values] = {}
    for name, kind in columns.items():
        parts = [np.asarray(table.columns[name], dtype=kind) for table in tables]
        joined[name] = np.concatenate(parts) if parts else np.empty(0, dtype=kind)
    return Table(sum(map(len, tables)), joined)


def where(table: Table, rows: NDArray[np.bool_]) -> Table:
    """The rows of a table that are marked."""
    places = np.flatnonzero(rows)
    return Table(len(places), {name: picked(values, places) for name, values in table.columns.items()})

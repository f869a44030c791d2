"""What each pair asks for by itself: who is to be enrolled, and what becomes of bookings (rules 3 and 5)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from enrolpolicy.bulk.answers import REASONS, triggers, withdrawn
from enrolpolicy.bulk.assembly import Rows, picked
from enrolpolicy.bulk.blocks import Part
from enrolpolicy.bulk.codes import ENROLS, FIRST_REASON, REQUIRED_BIT, Codes
from enrolpolicy.bulk.columns import NO_INSTANT, NONE, Choices, Estate, Flags, Table, Values
from enrolpolicy.bulk.reading import ReadBlock
from enrolpolicy.bulk.terms import NEVER, Terms
from enrolpolicy.model import EnrolmentStatus, Origin
from enrolpolicy.night import OTHER_CYCLE
from enrolpolicy.policy import TRIGGERS, WITHDRAWALS

CAUSES: tuple[str, ...] = tuple(row.id for row in (*TRIGGERS, *WITHDRAWALS))
"""Why anything is done; a `because` is a place among them."""
STAYS = len(CAUSES)
"""In the place of a cause: nothing withdraws a booking."""
_BOOKED = list(EnrolmentStatus).index(EnrolmentStatus.BOOKED)
_AUTO = list(Origin).index(Origin.AUTO)


def tally(read: ReadBlock, counts: NDArray[np.int64], sign: int = 1) -> None:
    """Add how many pairs of each account of a block have each reason, in the order of `REASONS`."""
    account, width = read.block.account, read.block.width
    low, high = int(account[0]), int(account[-1])
    ends = np.searchsorted(account, np.arange(low, high + 2)).tolist()
    for here, (first, last) in enumerate(pairwise(ends), low):
        found = np.bincount(read.reasons[first * width : last * width], minlength=FIRST_REASON + len(REASONS))
        counts[here] += sign * found[FIRST_REASON:]


def enrolling(read: ReadBlock) -> Table:
    """Those of a block who are to be enrolled, by person and course: code, cycle, attempt and expiry."""
    cells, block = np.flatnonzero(read.reasons == ENROLS), read.block
    attempt = np.zeros(len(cells), dtype=np.int32)
    again = np.flatnonzero(read.reasons[read.held.cells] == ENROLS)
    attempt[np.searchsorted(cells, read.held.cells[again])] = read.held.attempt[again]
    columns = {
        "person": block.person(cells).astype(np.int32),
        "course": block.course(cells).astype(np.int32),
        "code": read.codes(cells).astype(np.uint32),
        "cycle_on": read.counted.cycle(cells),
        "until": read.counted.until(cells),
        "attempt": attempt,
    }
    return Table(len(cells), columns)


def demanded(estate: Estate, terms: Terms, enrolling: Table) -> Table:
    """Their demand: with account, trigger, level and cost, and the expiry of what has one."""
    course, until = enrolling.ints("course"), enrolling.ints("until")
    codes = cast("Codes", enrolling.columns["code"])
    return Table(
        len(enrolling),
        {
            **{name: enrolling.columns[name] for name in ("person", "course", "cycle_on", "attempt")},
            "account": estate.courses.ints("account")[course],
            "because": triggers(terms.codes.facts(codes.astype(np.int64))),
            "required": (codes & REQUIRED_BIT) != 0,
            "expires_on": np.where(until == NEVER, NONE, until).astype(np.int32),
            "credits": estate.courses.ints("credit_cost")[course],
        },
    )


def ours_and_booked(enrolments: Table | Part) -> Flags:
    """Which bookings this policy may withdraw, or invite to: made by it, and not started."""
    ours: Flags = (enrolments.choices("status") == _BOOKED) & (enrolments.choices("origin") == _AUTO)
    return ours


def upkeep(read: ReadBlock, terms: Terms) -> Table:
    """What is done about bookings of a block: withdrawn for a cause, or invited to again (`because` is `STAYS`)."""
    block, part = read.block, read.bookings
    ours = np.flatnonzero(ours_and_booked(part))
    rows, cells = part.place(ours), read.booked[ours]
    table = block.estate.enrolments
    other = table.ints("cycle_on")[rows] != read.counted.cycle(cells)
    account = block.account[cells // block.width]
    cause = _causes(read, terms, cells, other, account)
    person = block.person(cells)
    unsent = (table.instants("invited_at")[rows] == NO_INSTANT) & block.estate.personnel.flags("reachable")[person]
    done = np.flatnonzero((cause != STAYS) | unsent)
    return Table(
        len(done),
        {
            "account": account[done],
            "person": person[done].astype(np.int32),
            "course": block.course(cells[done]).astype(np.int32),
            "because": cause[done],
            "enrolment": rows[done].astype(np.int32),
        },
    )


def _causes(
    read: ReadBlock, terms: Terms, cells: Rows, other: NDArray[np.bool_], account: NDArray[np.int32]
) -> Choices:
    """Why each booking is withdrawn."""
    facts = terms.codes.facts(read.codes(cells)) | other * OTHER_CYCLE
    chosen = read.block.estate.accounts.ints("withdraw_when")[account]
    found = np.full(len(cells), STAYS, dtype=np.uint8)
    for causes in np.unique(chosen).tolist():
        these = chosen == causes
        found[these] = withdrawn(facts[these], causes) + np.uint8(len(TRIGGERS))
    return found


Columns = Mapping[str, type[np.generic]]
"""What a table has, and what it is made of."""
ENROLLING: Columns = {
    "person": np.int32,
    "course": np.int32,
    "code": np.uint32,
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

"""The pairs of a block, read on their nights: a code for each, as `enrolpolicy.night` has one for any pair.

Columns do the many that are alike; what the few are like (`enrolpolicy.bulk.few`) is put in.
"""

from typing import final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from enrolpolicy.bookings import OPEN
from enrolpolicy.bulk.answers import Whole
from enrolpolicy.bulk.asking import asked, opted_out
from enrolpolicy.bulk.assembly import Rows, one_after_another
from enrolpolicy.bulk.blocks import Block, Part
from enrolpolicy.bulk.codes import (
    OPEN_BIT,
    OPTED_OUT_BIT,
    PERSON_CODES,
    PERSON_SHIFT,
    PROFILE_SHIFT,
    RECORDED,
    reconsidered,
    settled,
)
from enrolpolicy.bulk.columns import Choices, Ints
from enrolpolicy.bulk.counting import Counted, count
from enrolpolicy.bulk.few import odd_renewals
from enrolpolicy.bulk.held import Held, held
from enrolpolicy.bulk.picking import at, looked_up
from enrolpolicy.bulk.terms import Terms
from enrolpolicy.lifecycle import ENDED
from enrolpolicy.model import EnrolmentStatus

_OPEN = np.array([status in OPEN for status in EnrolmentStatus])
_ENDED = np.array([status in ENDED for status in EnrolmentStatus])
PERSONS = len(PERSON_CODES)


@final
@frozen(eq=False, kw_only=True)
class ReadBlock:
    """A block after it was read: by cell its lowest byte (`own`), and what the table says (`CodeTable.reasons`).

    `bookings` are its people's enrolments, `booked` their cells; `held` is what those come to that were looked at.
    """

    block: Block
    terms: Terms
    own: Choices
    reasons: Choices
    counted: Counted
    bookings: Part
    booked: Rows
    held: Held

    def codes(self, cells: Rows) -> Whole:
        """The whole codes of some cells."""
        return (
            _settings(self.block, self.terms, cells) | at(self.own, cells) | self.terms.codes.rare(self.held.of(cells))
        )


def read(block: Block, terms: Terms, *, fully: bool = False) -> ReadBlock:
    """Read a block; `fully` looks at all bookings, also of those who are left out for something before any."""
    counted = count(block, terms)
    for cell, renewal in odd_renewals(block, terms, counted):
        counted.settle(cell, *renewal)
    status = counted.status
    bookings = block.part("enrolments")
    booked = block.cell(bookings)
    status[booked] = np.maximum(status[booked], np.uint8(RECORDED))
    own = asked(block, terms)
    own |= status
    own[opted_out(block)] |= OPTED_OUT_BIT
    own[booked[_OPEN[bookings.choices("status")]]] |= OPEN_BIT
    reasons = _said(block, terms, own)
    ended = np.flatnonzero(_ENDED[bookings.choices("status")])
    ended = ended[bookings.ints("cycle_on")[ended] == counted.cycle(booked[ended])]
    if not fully:
        ended = ended[~settled(reasons[booked[ended]])]
    found = held(block, terms, counted, (bookings, booked), ended)
    reasons[found.cells] = reconsidered(reasons[found.cells], found.facts)
    return ReadBlock(
        block=block,
        terms=terms,
        own=own,
        reasons=reasons,
        counted=counted,
        bookings=bookings,
        booked=booked,
        held=found,
    )


def _settings(block: Block, terms: Terms, cells: Rows) -> Whole:
    """What codes of some cells have from their persons and courses."""
    found = terms.digits[block.person(cells)] | terms.profile[block.course(cells)]
    return found.astype(np.int64)


def _said(block: Block, terms: Terms, own: Choices) -> Choices:
    """What the table says of each cell, so far."""
    # Those between the first and the last may have more courses than a line has cells.
    accounts, place = np.unique(block.account, return_inverse=True)
    kinds = place * PERSONS + (terms.digits[block.people] >> PERSON_SHIFT)
    there = np.zeros(len(accounts) * PERSONS, dtype=np.bool_)
    there[kinds] = True
    kind = np.flatnonzero(there)
    profiles = _profiles(terms, accounts, block.width)
    classes = terms.codes.classes[profiles[kind // PERSONS], (kind % PERSONS)[:, None]]
    codes = classes.take((np.cumsum(there) - 1)[kinds], axis=0)
    codes |= own.reshape(block.lines, block.width)
    return looked_up(terms.codes.said, codes.reshape(-1))


def _profiles(terms: Terms, accounts: Ints, width: int) -> NDArray[np.intp]:
    """The profiles of the courses of some accounts, a line for each."""
    first, end = (terms.starts["courses"][edge] for edge in (accounts, accounts + 1))
    line = np.repeat(np.arange(len(accounts)), end - first)
    courses = one_after_another(first, end - first)
    found = np.zeros((len(accounts), width), dtype=np.intp)
    found[line, courses - first[line]] = terms.profile[courses] >> PROFILE_SHIFT
    return found

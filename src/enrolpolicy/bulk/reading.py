"""The pairs of a block, read on their nights: a code for each, as `enrolpolicy.night` has one for any pair.

Columns do the many that are alike; what the few are like (`enrolpolicy.bulk.few`) is put in.
"""

from collections.abc import Mapping
from typing import final

import numpy as np
from attrs import frozen

from enrolpolicy.bookings import OPEN, Bookings
from enrolpolicy.bulk.asking import asked, opted_out
from enrolpolicy.bulk.assembly import Rows, one_after_another
from enrolpolicy.bulk.blocks import Block, Part
from enrolpolicy.bulk.codes import OPEN_BIT, OPTED_OUT_BIT, RECORDED, Codes, settled
from enrolpolicy.bulk.columns import Choices
from enrolpolicy.bulk.counting import Counted, count
from enrolpolicy.bulk.few import held_bookings, odd_renewals
from enrolpolicy.bulk.terms import Terms
from enrolpolicy.lifecycle import ENDED
from enrolpolicy.model import EnrolmentStatus

_OPEN = np.array([status in OPEN for status in EnrolmentStatus])
_ENDED = np.array([status in ENDED for status in EnrolmentStatus])


@final
@frozen(eq=False, kw_only=True)
class ReadBlock:
    """A block after it was read: by cell its code, and what the table says of that (`CodeTable.reasons`).

    `bookings` are its people's enrolments, `booked` their cells; `held`, for the few looked at, is what they come to.
    """

    block: Block
    codes: Codes
    reasons: Choices
    counted: Counted
    bookings: Part
    booked: Rows
    held: Mapping[int, Bookings]


def read(block: Block, terms: Terms, *, fully: bool = False) -> ReadBlock:
    """Read a block; `fully` looks at all bookings, also of those who are left out for something before any."""
    counted = count(block, terms)
    status = counted.status(block.cells)
    for cell, found, digit in odd_renewals(block, terms, counted):
        counted.settle(cell, *found)
        status[cell] = digit
    bookings = block.part("enrolments")
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
    held = held_bookings(block, terms, counted, (bookings, booked), looked_at)
    if held:
        rare = [terms.codes.rare(facts) for _, facts in held.values()]
        codes[looked_at] |= np.array(rare, dtype=np.uint32)
        reasons[looked_at] = terms.codes.reasons(codes[looked_at])
    return ReadBlock(
        block=block,
        codes=codes,
        reasons=reasons,
        counted=counted,
        bookings=bookings,
        booked=booked,
        held={cell: found for cell, (found, _) in held.items()},
    )


def _whole(block: Block, terms: Terms, own: Choices) -> Codes:
    """The codes, from what each cell has of its own, its person's, and its course's."""
    starts = terms.starts["courses"]
    low, high = int(block.account.min()), int(block.account.max())
    profiles = np.zeros((high - low + 1, block.width), dtype=np.uint32)
    here = np.zeros(high - low + 1, dtype=np.bool_)
    here[block.account - low] = True
    account = np.flatnonzero(here)  # those between may have more courses than a line has cells
    first = starts[low + account]
    widths = starts[low + account + 1] - first
    courses = one_after_another(first, widths)
    profiles[np.repeat(account, widths), courses - np.repeat(first, widths)] = terms.profile[courses]
    codes: Codes = np.bitwise_or(own.reshape(block.lines, block.width), terms.digits[block.people][:, None])
    codes |= profiles if low == high else profiles[block.account - low]
    return codes.reshape(-1)

"""Which record counts for each pair of a block, until when it is valid, and where that leaves the training (rule 2)."""

from typing import final

import numpy as np
from attrs import define, frozen
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import FIRST, Rows
from enrolpolicy.bulk.blocks import Block, Part
from enrolpolicy.bulk.codes import IS_CURRENT, RECORDED, STATUS_MASK, UNTOUCHED
from enrolpolicy.bulk.columns import NONE, Choices, Flags, Ints
from enrolpolicy.bulk.picking import at, either
from enrolpolicy.bulk.terms import NEVER, Terms


@final
@define(eq=False)
class Counted:
    """The records of a block: by row, when completed and until when valid, whether it counts, the status it gives.

    `best` is, by cell, the row that counts if any does; -1 where there is no record. `status` is the digit of each
    cell. `odd` are the cells that are left to the object engine: records of which one's expiry follows from another's,
    or older than the tables reach.
    """

    part: Part
    cell: Rows
    completed: Ints
    expiry: Ints
    counts: Flags
    best: Ints
    status: Choices
    odd: Rows

    def cycle(self, cells: Rows) -> Ints:
        """The completion that counts, by day; `FIRST` where none does."""
        return self.terms(cells)[0]

    def terms(self, cells: Rows) -> tuple[Ints, Ints]:
        """That, and the expiry of what counts, `NEVER` among them; `NONE` where nothing does."""
        if not len(self.completed):
            return np.full(len(cells), FIRST, dtype=np.int32), np.full(len(cells), NONE, dtype=np.int32)
        best = at(self.best, cells).astype(np.intp)
        counts = at(self.counts, best)
        counts &= best >= 0
        return either(counts, at(self.completed, best), FIRST), either(counts, at(self.expiry, best), NONE)

    def settle(self, cell: int, completed: int, expiry: int, status: int) -> None:
        """Put in what the object engine says about a cell."""
        self.best[cell] = len(self.completed)
        self.completed = np.append(self.completed, np.int32(completed))
        self.expiry = np.append(self.expiry, np.int32(expiry))
        self.counts = np.append(self.counts, completed != FIRST)
        self.status[cell] = status


def count(block: Block, terms: Terms) -> Counted:
    """Find them."""
    part = block.part("records")
    cell, course = block.cell(part), part.ints("course").astype(np.intp)
    completed, written = part.ints("completed_on"), part.ints("expires_on")
    expiry = at(terms.expiries, at(terms.validity, course) + completed)
    expiry[np.flatnonzero(part.flags("never_expires"))] = NEVER
    expiry = either(written != NONE, written, expiry)
    on = terms.nights(course)
    counts = completed <= on
    counts &= ~part.flags("voided")
    digit = digits(terms, course, completed, expiry, on)
    digit -= np.uint8(RECORDED)
    digit *= counts
    digit += np.uint8(RECORDED)
    said, repeated = _best(block.cells, cell, digit, _Strength(completed, expiry, counts))
    odd = cell[repeated[terms.anchored[course[repeated]]]]
    if len(completed) and completed.min() < terms.earliest:
        odd = np.concatenate((odd, cell[completed < terms.earliest]))
    status = (said & np.int32(STATUS_MASK)).astype(np.uint8)
    said >>= _DIGIT
    return Counted(part, cell, completed, expiry, counts, said, status, np.unique(odd))


def digits(terms: Terms, course: Rows, completed: Ints, expiry: Ints, on: Ints) -> Choices:
    """The status each record would give; `on` is the night of each, or of all."""
    near = expiry <= at(terms.opens, course)
    expired = expiry < on
    digit = near.view(np.uint8) + expired.view(np.uint8)
    expired &= expiry >= at(terms.lapsed, course)
    digit += expired.view(np.uint8)
    digit += np.uint8(IS_CURRENT)
    # No window opens in the first half of what it renews.
    open_ = np.flatnonzero(digit == IS_CURRENT + 1)
    until = expiry[open_]
    early = until - (on[open_] if on.ndim else on) > np.maximum(0, (until - completed[open_]) // 2)
    digit[open_[early]] = IS_CURRENT
    return digit


_DIGIT = STATUS_MASK.bit_length()


@final
@frozen(eq=False)
class _Strength:
    """How strong records are: what lasts longest, among equals what was completed last; what counts not is weakest."""

    completed: Ints
    expiry: Ints
    counts: Flags

    def of(self, rows: Rows) -> NDArray[np.int64]:
        """That of some rows, as numbers."""
        strength = at(self.expiry, rows).astype(np.int64)
        strength <<= 32
        strength += at(self.completed, rows)
        strength[np.flatnonzero(~at(self.counts, rows))] = np.iinfo(np.int64).min
        return strength


def _best(cells: int, cell: Rows, digit: Choices, strength: _Strength) -> tuple[Ints, Rows]:
    """By cell, the row that counts, above its digit; and the rows that share a cell with another, but for one of them.

    Whichever row was written last stands in a cell, until a stronger one takes its place.
    """
    rows = np.arange(len(cell), dtype=np.int32) << np.int32(_DIGIT) | digit
    best = np.full(cells, -1 << _DIGIT | UNTOUCHED, dtype=np.int32)
    best[cell] = rows
    repeated = contending = np.flatnonzero(at(best, cell) != rows)
    while len(contending):
        standing = at(best, at(cell, contending)).astype(np.intp) >> _DIGIT
        stronger = strength.of(contending) > strength.of(standing)
        contending = contending[np.flatnonzero(stronger)]
        best[at(cell, contending)] = at(rows, contending)
    return best, repeated

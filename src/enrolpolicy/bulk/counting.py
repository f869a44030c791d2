"""Which record counts for each pair of a block, until when it is valid, and where that leaves the training (rule 2)."""

from typing import final

import numpy as np
from attrs import define

from enrolpolicy.bulk.assembly import FIRST, Rows
from enrolpolicy.bulk.blocks import Block, Part
from enrolpolicy.bulk.codes import IS_CURRENT, IS_EXPIRING, RECORDED, STATUS_MASK, UNTOUCHED
from enrolpolicy.bulk.columns import NONE, Choices, Ints
from enrolpolicy.bulk.picking import at, either
from enrolpolicy.bulk.terms import NEVER, Terms


@final
@define(eq=False)
class Counted:
    """The records of a block: by row, when completed and until when valid, `NONE` where the record does not count.

    `best` is, by cell, the row that counts if any does; -1 where there is no record. `status` is the digit of each
    cell. `odd` are the cells that are left to the object engine: records of which one's expiry follows from another's,
    or older than the tables reach.
    """

    part: Part
    cell: Rows
    completed: Ints
    expiry: Ints
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
        until = either(best >= 0, at(self.expiry, best), NONE)
        return either(until != NONE, at(self.completed, best), FIRST), until

    def settle(self, cell: int, completed: int, expiry: int, status: int) -> None:
        """Put in what the object engine says about a cell."""
        self.best[cell] = len(self.completed)
        self.completed = np.append(self.completed, np.int32(completed))
        self.expiry = np.append(self.expiry, np.int32(expiry))
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
    digit = digits(terms, course, completed, expiry, on)
    ignored = np.flatnonzero((completed > on) | part.flags("voided"))
    digit[ignored], expiry[ignored] = RECORDED, NONE
    best, repeated = _best(block.cells, cell, completed, expiry, digit)
    odd = cell[repeated[terms.anchored[course[repeated]]]]
    if len(completed) and completed.min() < terms.earliest:
        odd = np.concatenate((odd, cell[completed < terms.earliest]))
    status = (best & np.int32(STATUS_MASK)).astype(np.uint8)
    best >>= _DIGIT
    return Counted(part, cell, completed, expiry, best, status, np.unique(odd))


def digits(terms: Terms, course: Rows, completed: Ints, expiry: Ints, on: Ints) -> Choices:
    """The status each record would give; `on` is the night of each, or of all."""
    near = expiry <= at(terms.opens, course)
    expired = expiry < on
    digit = near.view(np.uint8) + expired.view(np.uint8)
    expired &= expiry >= at(terms.lapsed, course)
    digit += expired.view(np.uint8)
    digit += np.uint8(IS_CURRENT)
    # No window opens in the first half of what it renews.
    open_ = np.flatnonzero(digit == IS_EXPIRING)
    until = expiry[open_]
    early = until - (on[open_] if on.ndim else on) > np.maximum(0, (until - completed[open_]) // 2)
    digit[open_[early]] = IS_CURRENT
    return digit


_DIGIT = STATUS_MASK.bit_length()


def _best(cells: int, cell: Rows, completed: Ints, expiry: Ints, digit: Choices) -> tuple[Ints, Rows]:
    """By cell, the row that counts, above its digit; and the rows that share a cell with another, but for one of them.

    Whichever row was written last stands in a cell, until a stronger one takes its place: one that lasts longer or, as
    long, was completed later. Those that do not count are weakest.
    """
    rows = np.arange(len(cell), dtype=np.int32) << np.int32(_DIGIT) | digit
    best = np.full(cells, -1 << _DIGIT | UNTOUCHED, dtype=np.int32)
    best[cell] = rows
    repeated = contending = np.flatnonzero(at(best, cell) != rows)
    while len(contending):
        standing = at(best, at(cell, contending)).astype(np.intp) >> _DIGIT
        ours, theirs = at(expiry, contending), at(expiry, standing)
        stronger = ours > theirs
        even = np.flatnonzero(ours == theirs)
        stronger[even] = completed[contending[even]] > completed[standing[even]]
        contending = contending[np.flatnonzero(stronger)]
        best[at(cell, contending)] = at(rows, contending)
    return best, repeated

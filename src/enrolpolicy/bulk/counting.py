"""Which record counts for each pair of a block, until when it is valid, and where that leaves the training (rule 2)."""

from typing import final

import numpy as np
from attrs import define
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import FIRST, Rows
from enrolpolicy.bulk.blocks import Block, Part
from enrolpolicy.bulk.codes import IS_CURRENT, RECORDED
from enrolpolicy.bulk.columns import NONE, Choices, Flags, Ints
from enrolpolicy.bulk.picking import at, either
from enrolpolicy.bulk.terms import NEVER, Terms


@final
@define(eq=False)
class Counted:
    """The records of a block: by row, when completed and until when valid, whether it counts, the status it gives.

    `best` is, by cell, the row that counts if any does; -1 where there is no record. `repeated` are rows of cells that
    have others, too, one less than there are. `odd` are the cells that are left
    to the object engine: records of which one's expiry follows from another's, or older than the tables reach.
    """

    part: Part
    cell: Rows
    completed: Ints
    expiry: Ints
    counts: Flags
    digit: Choices
    best: Ints
    repeated: Rows
    odd: Rows

    def cycle(self, cells: Rows) -> Ints:
        """The completion that counts, by day; `FIRST` where none does."""
        if not len(self.completed):
            return np.full(len(cells), FIRST, dtype=np.int32)
        best = self.best[cells]
        return np.where((best >= 0) & self.counts[best], self.completed[best], FIRST)

    def until(self, cells: Rows) -> Ints:
        """The expiry of what counts, `NEVER` among them; `NONE` where nothing does."""
        if not len(self.completed):
            return np.full(len(cells), NONE, dtype=np.int32)
        best = self.best[cells]
        return np.where((best >= 0) & self.counts[best], self.expiry[best], NONE)

    def status(self, cells: int) -> Choices:
        """The status digit of each cell."""
        found = np.zeros(cells, dtype=np.uint8)
        found[self.cell] = self.digit
        again = self.cell[self.repeated]
        found[again] = self.digit[self.best[again]]
        return found

    def settle(self, cell: int, completed: int, expiry: int) -> None:
        """Put in what the object engine says about a cell."""
        self.best[cell] = len(self.completed)
        self.completed = np.append(self.completed, np.int32(completed))
        self.expiry = np.append(self.expiry, np.int32(expiry))
        self.counts = np.append(self.counts, completed != FIRST)


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
    best, repeated = _best(block.cells, cell, completed, expiry, counts)
    odd = cell[repeated[terms.anchored[course[repeated]]]]
    if len(completed) and completed.min() < terms.earliest:
        odd = np.concatenate((odd, cell[completed < terms.earliest]))
    return Counted(part, cell, completed, expiry, counts, digit, best, repeated, np.unique(odd))


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


def _best(cells: int, cell: Rows, completed: Ints, expiry: Ints, counts: Flags) -> tuple[Ints, Rows]:
    """The row that counts, by cell, and the rows that share a cell with another.

    Whichever row was written last stands in a cell, until a stronger one takes its place.
    """
    rows = np.arange(len(cell), dtype=np.int32)
    best = np.full(cells, -1, dtype=np.int32)
    best[cell] = rows
    repeated = np.flatnonzero(at(best, cell) != rows)
    contending = repeated
    while len(contending):
        standing = at(best, at(cell, contending)).astype(np.intp)
        stronger = _strength(contending, completed, expiry, counts) > _strength(standing, completed, expiry, counts)
        contending = contending[np.flatnonzero(stronger)]
        best[at(cell, contending)] = contending
    return best, repeated


def _strength(rows: Rows, completed: Ints, expiry: Ints, counts: Flags) -> NDArray[np.int64]:
    """What lasts longest is strongest, among equals what was completed last; what does not count is weakest."""
    strength = at(expiry, rows).astype(np.int64)
    strength <<= 32
    strength += at(completed, rows)
    strength[np.flatnonzero(~at(counts, rows))] = np.iinfo(np.int64).min
    return strength

"""What bookings of this cycle that have ended come to (rule 3, the gates about bookings).

Columns say what is beyond doubt. Where it hangs on a time zone, or on when a training was last asked for, the object
engine is asked about the cell.
"""

from datetime import date
from typing import final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from enrolpolicy.bookings import LONGEST_PAUSE_DAYS, retry_on
from enrolpolicy.bulk.answers import Whole
from enrolpolicy.bulk.assembly import EPOCH, FIRST, Rows
from enrolpolicy.bulk.blocks import Block, Part
from enrolpolicy.bulk.columns import NONE, Flags, Ints
from enrolpolicy.bulk.counting import Counted
from enrolpolicy.bulk.few import Located, bookings_of, rows_of_cells
from enrolpolicy.bulk.picking import at
from enrolpolicy.bulk.terms import Terms
from enrolpolicy.model import EnrolmentStatus
from enrolpolicy.night import AWAITING_RECORD, CANCELLED_ON_REQUEST, REFUSAL_PAUSE, bookings_code

_CANCELLED, _COMPLETED, _REFUSED = (
    list(EnrolmentStatus).index(status)
    for status in (EnrolmentStatus.CANCELLED, EnrolmentStatus.COMPLETED, EnrolmentStatus.REFUSED)
)
_DAY = 24 * 60 * 60 * 1_000_000
"""In microseconds. The date of an instant is at most one away from that in UTC, wherever one is."""
_LAST = date.max.toordinal() - EPOCH


def _pauses() -> Ints:
    """How long is paused after so many refusals; for more, as long as for the last."""
    some = date(2000, 1, 1)
    found = [0]
    while found[-1] < LONGEST_PAUSE_DAYS:
        found.append((retry_on(some, len(found)) - some).days)
    return np.array(found, dtype=np.int32)


_PAUSES = _pauses()


@final
@frozen(eq=False, kw_only=True)
class Held:
    """For some cells, ascending: how many bookings of this cycle have ended, and what a code has from them.

    `retry_on` is the day on which a pause ends that has not ended yet; `NONE` where there is none.
    """

    cells: Rows
    attempt: Ints
    facts: Whole
    retry_on: Ints

    def of(self, cells: Rows) -> Whole:
        """What the codes of any cells have from them."""
        found = np.zeros(len(cells), dtype=np.int64)
        if len(self.cells):
            place = np.searchsorted(self.cells, cells)
            place[place == len(self.cells)] = 0
            there = np.flatnonzero(at(self.cells, place) == cells)
            found[there] = self.facts[place[there]]
        return found


def held(block: Block, terms: Terms, counted: Counted, booked: Located, ended: Rows) -> Held:
    """Find that out of the rows of enrolments that are of this cycle and have ended, of cells that are looked at."""
    part, cell = booked
    here = _Ended(block, terms, counted, part, *np.unique(cell[ended], return_inverse=True), ended)
    paused, doubt = here.paused()
    awaiting, unsure = here.awaiting()
    doubt |= unsure
    cancelled, unsure = here.cancelled()
    doubt |= unsure
    running = np.where(paused > here.on, paused, NONE).astype(np.int32)
    facts = np.where(running != NONE, REFUSAL_PAUSE, 0) | awaiting * AWAITING_RECORD | cancelled * CANCELLED_ON_REQUEST
    asked = np.flatnonzero(doubt)
    for place, found, night in bookings_of(block, terms, counted, booked, here.cells, asked):
        facts[place] = bookings_code(found, night)
        pause = None if found.retry_on is None or found.retry_on <= night else found.retry_on
        running[place] = NONE if pause is None else pause.toordinal() - EPOCH
    attempt = np.bincount(here.place, minlength=len(here.cells)).astype(np.int32)
    return Held(cells=here.cells, attempt=attempt, facts=facts.astype(np.int64), retry_on=running)


@final
@frozen(eq=False)
class _Ended:
    """Rows of enrolments, by their place in `part`: the `cells` they are of, and the `place` of each among those."""

    block: Block
    terms: Terms
    counted: Counted
    part: Part
    cells: Rows
    place: Rows
    ended: Rows

    @property
    def on(self) -> Ints:
        """The night of each cell."""
        return self.terms.on[self.block.account[self.cells // self.block.width]]

    def _are(self, status: int) -> NDArray[np.intp]:
        return np.flatnonzero(self.part.choices("status")[self.ended] == status)

    def _mark(self, rows: Rows) -> Flags:
        """The cells of some of the rows."""
        found = np.zeros(len(self.cells), dtype=np.bool_)
        found[self.place[rows]] = True
        return found

    def paused(self) -> tuple[Ints, Flags]:
        """When the pause after a refusal ends; it is in doubt where the day of one is not known."""
        rows = self._are(_REFUSED)
        refused_on = self.part.ints("ended_on")[self.ended[rows]]
        last = np.full(len(self.cells), NONE, dtype=np.int32)
        np.maximum.at(last, self.place[rows], refused_on)
        times = np.bincount(self.place[rows], minlength=len(self.cells))
        until = last.astype(np.int64) + _PAUSES[np.minimum(times, len(_PAUSES) - 1)]
        return np.minimum(until, _LAST).astype(np.int32), self._mark(rows[refused_on == NONE])

    def awaiting(self) -> tuple[Flags, Flags]:
        """Where one was completed and no record has come since; in doubt where that hangs on the time zone."""
        rows = self._are(_COMPLETED)
        place = self.place[rows]
        day = self.part.instants("enrolled_at")[self.ended[rows]] // _DAY
        latest = self._latest(np.unique(place))[place]
        return self._mark(rows[latest < day - 1]), self._mark(rows[np.abs(latest - day) <= 1])

    def _latest(self, places: Rows) -> Ints:
        """The last completion on record in some of the cells."""
        found = np.full(len(self.cells), NONE, dtype=np.int32)
        cells = self.cells[places]
        rows = rows_of_cells(self.block, (self.counted.part, self.counted.cell), cells)
        np.maximum.at(found, places[np.searchsorted(cells, self.counted.cell[rows])], self.counted.completed[rows])
        return found

    def cancelled(self) -> tuple[Flags, Flags]:
        """Where a person cancelled one; in doubt for a first booking, which may have been asked for again."""
        rows = self._are(_CANCELLED)
        rows = rows[self.part.flags("requested")[self.ended[rows]]]
        first = self.counted.cycle(self.cells[self.place[rows]]) == FIRST
        return self._mark(rows[~first]), self._mark(rows[first])

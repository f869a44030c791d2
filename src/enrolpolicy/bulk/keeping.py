"""Night after night over one estate, where each looks only at what is due and what changed.

An answer changes by time alone on a few dates that are known beforehand: a window opens, a training expires, an
expiry is too long ago, a pause is over, a completion that lay ahead has come. A `Standing` keeps for every pair what it
came to and the next of these dates. A night reads the pairs whose date has come, and all pairs of the people whose rows
changed; what they were is taken out of the counts, the demand and the bookings looked after, and what they are is put
in.
"""

from collections.abc import Collection, Iterator
from typing import final

import numpy as np
from attrs import define, evolve
from numpy.typing import NDArray

from enrolpolicy.bulk.allocation import available, reserved, spread
from enrolpolicy.bulk.answers import REASONS
from enrolpolicy.bulk.assembly import Rows, taken
from enrolpolicy.bulk.blocks import CELLS, Block, block, blocks
from enrolpolicy.bulk.codes import ENROLS, FIRST_REASON, LEVEL_MASK, STATUS_MASK, Codes, person_digits
from enrolpolicy.bulk.columns import NONE, Choices, Estate, Flags, Ints, Table
from enrolpolicy.bulk.coming import dates, next_date
from enrolpolicy.bulk.counting import digits
from enrolpolicy.bulk.demand import ENROLLING, UPKEEP, demanded, enrolling, ours_and_booked, together, upkeep, where
from enrolpolicy.bulk.kept import WANTED, Kept, begun, unread, untouched
from enrolpolicy.bulk.planning import EstatePlan, Sums, concluded
from enrolpolicy.bulk.reading import ReadBlock, read
from enrolpolicy.bulk.terms import Nights, nights_of
from enrolpolicy.errors import InvalidValue

_AHEAD = 8
"""For so many days the pairs to look at are known beforehand; then all are gone through for those of the next."""
_TOUCHED = np.uint32(STATUS_MASK | LEVEL_MASK)
"""What a candidate's code has any of."""
_NOBODY: Rows = np.empty(0, dtype=np.intp)


@final
@define(eq=False)
class Standing:
    """An estate, and what its pairs come to on the last night it was asked about. Made by `standing`.

    It is changed by every `night`, and is not to be used by two at once. The plan of a night is the one `plan_estate`
    makes of the same rows; the estate it refers to is that of the last night, in which newcomers stand at the end and
    rows that are nobody's any more stay.
    """

    _kept: Kept

    def night(self, *, on: Nights, changed: Estate | None = None, left: Collection[tuple[str, str]] = ()) -> EstatePlan:
        """The plan of a night, which is not before the last one; without findings.

        `changed` holds people with all their rows as they are now, in accounts whose settings are those of before; its
        people replace those of the same ids, or join. `left` are people, by the ids of account and person, of whom
        there is no row any more. Raises `InvalidValue` where settings changed, or for a night before the last: begin a
        new `Standing` then.
        """
        nights = nights_of(self._kept.estate.accounts, on)
        if (nights < self._kept.terms.on).any():
            raise InvalidValue("on", "must not be before the last night; begin a new `Standing` to go back")
        people = self._replaced(changed, self._kept.held.rows(left))
        moved = self._kept.terms.moved(self._kept.estate, nights)
        self._kept.terms = evolve(moved, digits=self._kept.people.array("digits"))
        again = np.zeros(self._kept.people.used, dtype=np.bool_)
        again[people] = True
        due = self._due(again)
        self._forget(again, due)
        for some in self._blocks(np.flatnonzero(again)):
            self._take_in(read(some, self._kept.terms))
        self._move_on(due)
        return self._plan()

    def begin(self) -> None:
        """Read everybody, once, before the first night."""
        everybody = np.arange(self._kept.held.people.used)
        self._add_up(everybody, np.ones(len(everybody), dtype=np.bool_))
        for some in blocks(self._kept.estate, self._kept.terms):
            self._take_in(read(some, self._kept.terms))

    # Rows

    def _replaced(self, changed: Estate | None, gone: Rows) -> Rows:
        """Put in what changed; the rows of all people who did."""
        self._kept.held.leave(gone)
        come = _NOBODY if changed is None else self._kept.held.replace(changed)
        people = np.concatenate((come, gone[~np.isin(gone, come)]))
        if not len(people):
            return people
        self._kept.estate = self._kept.held.estate()
        self._make_room()
        for key in self._kept.held.keys(come):
            self._kept.strays.pop(key, None)  # what was open under their name is not theirs any more
        of = self._kept.held.people.array
        self._kept.people.array("digits")[people] = person_digits(
            *(of(name)[people] for name in ("archived", "auto_enrol", "employment", "reachable"))
        )
        self._add_up(people, np.arange(len(people)) < len(come))
        return people

    def _make_room(self) -> None:
        """Cells for newcomers, and a row for what is kept of each."""
        first, size = self._kept.people.used, self._kept.held.people.used
        account = self._kept.estate.personnel.ints("account")[first:size]
        widths = np.diff(self._kept.terms.starts["courses"])[account]
        base = self._kept.cells.used + np.cumsum(widths) - widths
        self._kept.people.append(unread(base.astype(np.int64), np.zeros(size - first, dtype=np.uint32)))
        self._kept.cells.append(untouched(int(widths.sum())))

    def _add_up(self, people: Rows, here: Flags) -> None:
        """Take what some people added to their accounts' sums out, and put in what they add now."""
        account = self._kept.estate.personnel.ints("account")[people]
        part = block(self._kept.estate, self._kept.terms, people, 1, self._kept.held.spans()).part("enrolments")
        rows = part.place(np.arange(len(part.line)))
        added = {
            "people": here.astype(np.int64),
            "reserved": np.bincount(part.line, weights=reserved(self._kept.estate, rows), minlength=len(people)),
            "cancellable": np.bincount(part.line[ours_and_booked(part)], minlength=len(people)),
        }
        for name, now in added.items():
            before = self._kept.people.array(name)
            np.add.at(self._kept.sums[name], account, now.astype(np.int64) - before[people])
            before[people] = now

    # What is due

    def _due(self, again: Flags) -> Rows:
        """The pairs whose date has come and that follow from what is kept of them; the people of others are marked."""
        on, due = self._kept.terms.on, self._kept.cells.array("due")
        latest = int(on.max(initial=NONE))
        if latest > self._kept.known_until:
            self._kept.known_until = latest + _AHEAD
            self._kept.soon = np.flatnonzero(due <= self._kept.known_until)
        soonest = due[self._kept.soon]
        cells = np.unique(self._kept.soon[soonest <= latest])
        self._kept.soon = self._kept.soon[(soonest <= self._kept.known_until) & (soonest > latest)]
        person = self._owners(cells)
        come = due[cells] <= on[self._kept.estate.personnel.ints("account")[person]]
        self._kept.soon = np.concatenate((self._kept.soon, cells[~come]))
        entangled = self._kept.cells.array("entangled")[cells]
        again[person[come & entangled]] = True
        alone: Rows = cells[come & ~again[person]]
        return alone

    def _owners(self, cells: Rows) -> Rows:
        """The person of each cell."""
        owners: Rows = np.searchsorted(self._kept.people.array("base"), cells, side="right") - 1
        return owners

    def _courses(self, cells: Rows, person: Rows) -> Rows:
        first = self._kept.terms.starts["courses"][self._kept.estate.personnel.ints("account")[person]]
        courses: Rows = cells - self._kept.people.array("base")[person] + first
        return courses

    # Out and in

    def _forget(self, people: Flags, cells: Rows) -> None:
        """Take what people and pairs asked for out of the demand, and bookings of those people."""
        due = np.zeros(self._kept.cells.used, dtype=np.bool_)
        due[cells] = True
        wanted, kept_up = self._kept.wanted, self._kept.kept_up
        self._kept.wanted = where(wanted, ~(people[wanted.ints("person")] | due[wanted.instants("cell")]))
        self._kept.kept_up = where(kept_up, ~people[kept_up.ints("person")])

    def _recount(self, cells: Rows, account: Ints, codes: Codes) -> Choices:
        """Put codes of cells in the place of those of before, also in the counts; what is said of them."""
        kept = self._kept.cells.array("code")
        said = self._kept.terms.codes.reasons(codes)
        for reasons, sign in ((self._kept.terms.codes.reasons(kept[cells]), -1), (said, 1)):
            counted = reasons >= FIRST_REASON
            place = account[counted] * len(REASONS) + (reasons[counted] - FIRST_REASON)
            counts = self._kept.counts
            counts += sign * np.bincount(place, minlength=counts.size).reshape(counts.shape)
        kept[cells] = codes
        return said

    def _move_on(self, cells: Rows) -> None:
        """Pairs whose date has come, and of which all that is needed is kept."""
        person = self._owners(cells)
        course, account = self._courses(cells, person), self._kept.estate.personnel.ints("account")[person]
        cycle, until = self._kept.cells.array("cycle")[cells], self._kept.cells.array("until")[cells]
        status = digits(self._kept.terms, course.astype(np.int32), cycle, until, self._kept.terms.course_on[course])
        codes = (self._kept.cells.array("code")[cells] & ~np.uint32(STATUS_MASK)) | status
        said = self._recount(cells, account, codes.astype(np.uint32))
        self._plan_for(cells, next_date(self._kept.terms, course, cycle, until))
        new = said == ENROLS
        columns = {"person": person, "course": course, "code": codes, "cycle_on": cycle, "until": until}
        columns["attempt"] = np.zeros(len(cells), dtype=np.int32)  # there are no bookings
        self._want(where(together(ENROLLING, [Table(len(cells), columns)]), new))

    def _want(self, enrolling: Table) -> None:
        """Add demand."""
        rows = demanded(self._kept.estate, self._kept.terms, enrolling)
        person = rows.ints("person")
        first = self._kept.terms.starts["courses"][rows.ints("account")]
        cell = self._kept.people.array("base")[person] + rows.ints("course") - first
        held = spread(self._kept.estate, self._kept.terms, rows)
        self._kept.wanted = together(WANTED, [self._kept.wanted, Table(len(rows), {**held.columns, "cell": cell})])

    def _plan_for(self, cells: Rows, due: Ints) -> None:
        """Note the dates on which cells are to be looked at again."""
        self._kept.cells.array("due")[cells] = due
        self._kept.soon = np.concatenate((self._kept.soon, cells[due <= self._kept.known_until]))

    def _take_in(self, found: ReadBlock) -> None:
        """Put in what a block came to."""
        here, terms, of = found.block, self._kept.terms, self._kept.cells.array
        people = np.arange(here.lines) + here.people.start if isinstance(here.people, slice) else here.people
        local, line, cells = self._candidates(found, people)
        cycle, until = found.counted.cycle(local), found.counted.until(local)
        of("cycle")[cells], of("until")[cells] = cycle, until
        due, entangled = dates(found, terms, local, cycle, until)
        of("entangled")[cells] = entangled
        self._recount(cells, here.account[line], found.codes[local])
        self._plan_for(cells, due)
        self._want(enrolling(found))
        self._kept.kept_up = together(UPKEEP, [self._kept.kept_up, upkeep(found, terms)])

    def _candidates(self, found: ReadBlock, people: Rows) -> tuple[Rows, Rows, Rows]:
        """The cells of a block that are a candidate's, or were: in the block, whose line, and here."""
        here = found.block
        widths = np.diff(self._kept.terms.starts["courses"])[here.account]
        base = self._kept.people.array("base")[people]
        places = np.arange(here.width)
        inside = (places < widths[:, None]).reshape(-1)
        cells = (base[:, None] + places).reshape(-1)
        touched = found.codes & _TOUCHED != 0
        touched[inside] |= self._kept.cells.array("code")[cells[inside]] & _TOUCHED != 0
        local = np.flatnonzero(touched & inside)
        return local, local // here.width, cells[local]

    def _blocks(self, people: Rows) -> Iterator[Block]:
        """Blocks of some people."""
        account = self._kept.estate.personnel.ints("account")[people]
        people = people[np.argsort(account, kind="stable")]
        width = int(np.diff(self._kept.terms.starts["courses"])[account].max(initial=1))
        most = max(1, CELLS // width)
        for first in range(0, len(people), most):
            yield block(
                self._kept.estate, self._kept.terms, people[first : first + most], width, self._kept.held.spans()
            )

    # The plan

    def _plan(self) -> EstatePlan:
        rank = self._kept.held.people.array("rank")
        wanted, kept_up = (_ordered(table, rank) for table in (self._kept.wanted, self._kept.kept_up))
        sums = Sums(
            credits=available(self._kept.estate, self._kept.sums["reserved"]),
            cancellable=self._kept.sums["cancellable"].copy(),
            deserted=self._deserted(),
        )
        self._kept.wanted, self._kept.kept_up = wanted, kept_up
        return concluded(self._kept.estate, self._kept.terms.on, wanted, kept_up, self._kept.counts.copy(), sums)

    def _deserted(self) -> Flags:
        """The accounts with open enrolments and nobody on the register."""
        found = np.zeros(len(self._kept.estate.accounts), dtype=np.bool_)
        found[list({account for account, _ in self._kept.strays})] = True
        found &= self._kept.sums["people"] == 0
        return found


def standing(estate: Estate, *, on: Nights) -> Standing:
    """Read an estate on a night, and keep what its pairs come to; `night` gives the plan of that or a later one."""
    found = Standing(begun(estate, on))
    found.begin()
    return found


def _ordered(table: Table, rank: NDArray[np.int64]) -> Table:
    """Rows by account, person and course, and last by enrolment; most of them stand so already."""
    place = rank[table.ints("person")] << 32 | table.ints("course")
    if "enrolment" in table.columns:
        return taken(table, np.lexsort((table.ints("enrolment"), place)))
    return taken(table, np.argsort(place, kind="stable"))

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

from enrolpolicy.bookings import OPEN
from enrolpolicy.bulk.allocation import available, reserved, spread
from enrolpolicy.bulk.answers import REASONS
from enrolpolicy.bulk.assembly import EPOCH, Rows, taken
from enrolpolicy.bulk.blocks import CELLS, Block, block, blocks
from enrolpolicy.bulk.codes import ENROLS, FIRST_REASON, LEVEL_MASK, STATUS_MASK, Codes, person_digits
from enrolpolicy.bulk.columns import NONE, Choices, Estate, Flags, Ints, Table
from enrolpolicy.bulk.counting import digits
from enrolpolicy.bulk.demand import (
    DEMAND,
    ENROLLING,
    UPKEEP,
    Columns,
    demanded,
    enrolling,
    ours_and_booked,
    together,
    upkeep,
    where,
)
from enrolpolicy.bulk.growing import Growing, growing
from enrolpolicy.bulk.holding import Holding, holding
from enrolpolicy.bulk.planning import EstatePlan, Sums, concluded
from enrolpolicy.bulk.reading import ReadBlock, read
from enrolpolicy.bulk.terms import NEVER, Nights, Terms, nights_of, terms_of
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import EnrolmentStatus

_AHEAD = 8
"""For so many days the pairs to look at are known beforehand; then all are gone through for those of the next."""
_FAR = NEVER * 2
"""Due later than any day: by time alone the answer stays."""
_WANTED: Columns = {**DEMAND, "until": np.int32, "cell": np.int64}
_OPEN = np.array([status in OPEN for status in EnrolmentStatus])
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

    _held: Holding
    _estate: Estate
    _terms: Terms
    _cells: Growing
    """By pair: its `code`, the `cycle` and expiry (`until`) of what counts, the date it is `due`, and whether it is
    `entangled`: what it comes to then does not follow from these alone."""
    _people: Growing
    """By person: the first of their cells (`base`), what their codes have from them, what their bookings add up to."""
    _sums: dict[str, NDArray[np.int64]]
    """By account: `people`, `reserved` credits and `cancellable` bookings."""
    _strays: dict[tuple[int, str], int]
    """The open enrolments of those who are not there, by account and person."""
    _counts: NDArray[np.int64]
    _wanted: Table
    _kept_up: Table
    _soon: Rows
    """The cells that are due by `_known_until`, or were."""
    _known_until: int

    def night(self, *, on: Nights, changed: Estate | None = None, left: Collection[tuple[str, str]] = ()) -> EstatePlan:
        """The plan of a night, which is not before the last one; without findings.

        `changed` holds people with all their rows as they are now, in accounts whose settings are those of before; its
        people replace those of the same ids, or join. `left` are people, by the ids of account and person, of whom
        there is no row any more. Raises `InvalidValue` where settings changed, or for a night before the last: begin a
        new `Standing` then.
        """
        nights = nights_of(self._estate.accounts, on)
        if (nights < self._terms.on).any():
            raise InvalidValue("on", "must not be before the last night; begin a new `Standing` to go back")
        people = self._replaced(changed, self._held.rows(left))
        moved = self._terms.moved(self._estate, nights)
        self._terms = evolve(moved, digits=self._people.array("digits"))
        again = np.zeros(self._people.used, dtype=np.bool_)
        again[people] = True
        due = self._due(again)
        self._forget(again, due)
        for some in self._blocks(np.flatnonzero(again)):
            self._take_in(read(some, self._terms))
        self._move_on(due)
        return self._plan()

    def begin(self) -> None:
        """Read everybody, once."""
        everybody = np.arange(self._held.people.used)
        self._add_up(everybody, np.ones(len(everybody), dtype=np.bool_))
        for some in blocks(self._estate, self._terms):
            self._take_in(read(some, self._terms))

    # Rows

    def _replaced(self, changed: Estate | None, gone: Rows) -> Rows:
        """Put in what changed; the rows of all people who did."""
        self._held.leave(gone)
        come = _NOBODY if changed is None else self._held.replace(changed)
        people = np.concatenate((come, gone[~np.isin(gone, come)]))
        if not len(people):
            return people
        self._estate = self._held.estate()
        self._make_room()
        for key in self._held.keys(come):
            self._strays.pop(key, None)  # what was open under their name is not theirs any more
        of = self._held.people.array
        self._people.array("digits")[people] = person_digits(
            *(of(name)[people] for name in ("archived", "auto_enrol", "employment", "reachable"))
        )
        self._add_up(people, np.arange(len(people)) < len(come))
        return people

    def _make_room(self) -> None:
        """Cells for newcomers, and a row for what is kept of each."""
        first, size = self._people.used, self._held.people.used
        account = self._estate.personnel.ints("account")[first:size]
        widths = np.diff(self._terms.starts["courses"])[account]
        base = self._cells.used + np.cumsum(widths) - widths
        self._people.append(_kept_of_people(base.astype(np.int64), np.zeros(size - first, dtype=np.uint32)))
        self._cells.append(_kept_of_cells(int(widths.sum())))

    def _add_up(self, people: Rows, here: Flags) -> None:
        """Take what some people added to their accounts' sums out, and put in what they add now."""
        account = self._estate.personnel.ints("account")[people]
        part = block(self._estate, self._terms, people, 1, self._held.spans()).part("enrolments")
        rows = part.place(np.arange(len(part.line)))
        added = {
            "people": here.astype(np.int64),
            "reserved": np.bincount(part.line, weights=reserved(self._estate, rows), minlength=len(people)),
            "cancellable": np.bincount(part.line[ours_and_booked(part)], minlength=len(people)),
        }
        for name, now in added.items():
            before = self._people.array(name)
            np.add.at(self._sums[name], account, now.astype(np.int64) - before[people])
            before[people] = now

    # What is due

    def _due(self, again: Flags) -> Rows:
        """The pairs whose date has come and that follow from what is kept of them; the people of others are marked."""
        on, due = self._terms.on, self._cells.array("due")
        latest = int(on.max(initial=NONE))
        if latest > self._known_until:
            self._known_until = latest + _AHEAD
            self._soon = np.flatnonzero(due <= self._known_until)
        soonest = due[self._soon]
        cells = np.unique(self._soon[soonest <= latest])
        self._soon = self._soon[(soonest <= self._known_until) & (soonest > latest)]
        person = self._owners(cells)
        come = due[cells] <= on[self._estate.personnel.ints("account")[person]]
        self._soon = np.concatenate((self._soon, cells[~come]))
        entangled = self._cells.array("entangled")[cells]
        again[person[come & entangled]] = True
        alone: Rows = cells[come & ~again[person]]
        return alone

    def _owners(self, cells: Rows) -> Rows:
        """The person of each cell."""
        owners: Rows = np.searchsorted(self._people.array("base"), cells, side="right") - 1
        return owners

    def _courses(self, cells: Rows, person: Rows) -> Rows:
        first = self._terms.starts["courses"][self._estate.personnel.ints("account")[person]]
        courses: Rows = cells - self._people.array("base")[person] + first
        return courses

    # Out and in

    def _forget(self, people: Flags, cells: Rows) -> None:
        """Take what people and pairs asked for out of the demand, and bookings of those people."""
        due = np.zeros(self._cells.used, dtype=np.bool_)
        due[cells] = True
        wanted, kept_up = self._wanted, self._kept_up
        self._wanted = where(wanted, ~(people[wanted.ints("person")] | due[wanted.instants("cell")]))
        self._kept_up = where(kept_up, ~people[kept_up.ints("person")])

    def _recount(self, cells: Rows, account: Ints, codes: Codes) -> Choices:
        """Put codes of cells in the place of those of before, also in the counts; what is said of them."""
        kept = self._cells.array("code")
        said = self._terms.codes.reasons(codes)
        for reasons, sign in ((self._terms.codes.reasons(kept[cells]), -1), (said, 1)):
            counted = reasons >= FIRST_REASON
            place = account[counted] * len(REASONS) + (reasons[counted] - FIRST_REASON)
            self._counts += sign * np.bincount(place, minlength=self._counts.size).reshape(self._counts.shape)
        kept[cells] = codes
        return said

    def _move_on(self, cells: Rows) -> None:
        """Pairs whose date has come, and of which all that is needed is kept."""
        person = self._owners(cells)
        course, account = self._courses(cells, person), self._estate.personnel.ints("account")[person]
        cycle, until = self._cells.array("cycle")[cells], self._cells.array("until")[cells]
        status = digits(self._terms, course.astype(np.int32), cycle, until, self._terms.course_on[course])
        codes = (self._cells.array("code")[cells] & ~np.uint32(STATUS_MASK)) | status
        said = self._recount(cells, account, codes.astype(np.uint32))
        self._plan_for(cells, _next(self._terms, course, cycle, until))
        new = said == ENROLS
        columns = {"person": person, "course": course, "code": codes, "cycle_on": cycle, "until": until}
        columns["attempt"] = np.zeros(len(cells), dtype=np.int32)  # there are no bookings
        self._want(where(together(ENROLLING, [Table(len(cells), columns)]), new))

    def _want(self, enrolling: Table) -> None:
        """Add demand."""
        rows = demanded(self._estate, self._terms, enrolling)
        person = rows.ints("person")
        first = self._terms.starts["courses"][rows.ints("account")]
        cell = self._people.array("base")[person] + rows.ints("course") - first
        held = spread(self._estate, self._terms, rows)
        self._wanted = together(_WANTED, [self._wanted, Table(len(rows), {**held.columns, "cell": cell})])

    def _plan_for(self, cells: Rows, due: Ints) -> None:
        """Note the dates on which cells are to be looked at again."""
        self._cells.array("due")[cells] = due
        self._soon = np.concatenate((self._soon, cells[due <= self._known_until]))

    def _take_in(self, found: ReadBlock) -> None:
        """Put in what a block came to."""
        here, terms, of = found.block, self._terms, self._cells.array
        people = np.arange(here.lines) + here.people.start if isinstance(here.people, slice) else here.people
        local, line, cells = self._candidates(found, people)
        cycle, until = found.counted.cycle(local), found.counted.until(local)
        of("cycle")[cells], of("until")[cells] = cycle, until
        due, entangled = _dates(found, terms, local, cycle, until)
        of("entangled")[cells] = entangled
        self._recount(cells, here.account[line], found.codes[local])
        self._plan_for(cells, due)
        self._want(enrolling(found))
        self._kept_up = together(UPKEEP, [self._kept_up, upkeep(found, terms)])

    def _candidates(self, found: ReadBlock, people: Rows) -> tuple[Rows, Rows, Rows]:
        """The cells of a block that are a candidate's, or were: in the block, whose line, and here."""
        here = found.block
        widths = np.diff(self._terms.starts["courses"])[here.account]
        base = self._people.array("base")[people]
        places = np.arange(here.width)
        inside = (places < widths[:, None]).reshape(-1)
        cells = (base[:, None] + places).reshape(-1)
        touched = found.codes & _TOUCHED != 0
        touched[inside] |= self._cells.array("code")[cells[inside]] & _TOUCHED != 0
        local = np.flatnonzero(touched & inside)
        return local, local // here.width, cells[local]

    def _blocks(self, people: Rows) -> Iterator[Block]:
        """Blocks of some people."""
        account = self._estate.personnel.ints("account")[people]
        people = people[np.argsort(account, kind="stable")]
        width = int(np.diff(self._terms.starts["courses"])[account].max(initial=1))
        most = max(1, CELLS // width)
        for first in range(0, len(people), most):
            yield block(self._estate, self._terms, people[first : first + most], width, self._held.spans())

    # The plan

    def _plan(self) -> EstatePlan:
        rank = self._held.people.array("rank")
        wanted, kept_up = (_ordered(table, rank) for table in (self._wanted, self._kept_up))
        sums = Sums(
            credits=available(self._estate, self._sums["reserved"]),
            cancellable=self._sums["cancellable"].copy(),
            deserted=self._deserted(),
        )
        self._wanted, self._kept_up = wanted, kept_up
        return concluded(self._estate, self._terms.on, wanted, kept_up, self._counts.copy(), sums)

    def _deserted(self) -> Flags:
        """The accounts with open enrolments and nobody on the register."""
        found = np.zeros(len(self._estate.accounts), dtype=np.bool_)
        found[list({account for account, _ in self._strays})] = True
        found &= self._sums["people"] == 0
        return found


def standing(estate: Estate, *, on: Nights) -> Standing:
    """Read an estate on a night, and keep what its pairs come to; `night` gives the plan of that or a later one."""
    held = holding(estate)
    whole, terms = held.estate(), terms_of(estate, on)
    widths = np.diff(terms.starts["courses"])[whole.personnel.ints("account")].astype(np.int64)
    size = len(estate.accounts)
    found = Standing(
        held=held,
        estate=whole,
        terms=terms,
        cells=growing(_kept_of_cells(int(widths.sum()))),
        people=growing(_kept_of_people(np.cumsum(widths) - widths, terms.digits)),
        strays=_strays(estate),
        sums={name: np.zeros(size, dtype=np.int64) for name in _SUMS},
        counts=np.zeros((size, len(REASONS)), dtype=np.int64),
        wanted=together(_WANTED, []),
        kept_up=together(UPKEEP, []),
        soon=_NOBODY,
        known_until=NONE,
    )
    found.begin()
    return found


_SUMS = ("people", "reserved", "cancellable")


def _strays(estate: Estate) -> dict[tuple[int, str], int]:
    """The open enrolments of people who are not there, by account and person."""
    table = estate.strays["enrolments"]
    rows = np.flatnonzero(_OPEN[table.choices("status")]).tolist()
    keys = [(int(table.ints("account")[row]), table.ids("person")[row]) for row in rows]
    there = set(zip(estate.personnel.ints("account").tolist(), estate.personnel.ids(), strict=True)) if keys else set()
    return {key: keys.count(key) for key in set(keys) - there}


def _kept_of_people(base: NDArray[np.int64], digits: Codes) -> Table:
    kept = {name: np.zeros(len(base), dtype=np.int64) for name in _SUMS}
    return Table(len(base), {"base": base, "digits": digits, **kept})


def _kept_of_cells(size: int) -> Table:
    return Table(
        size,
        {
            "code": np.zeros(size, dtype=np.uint32),
            "cycle": np.full(size, NONE, dtype=np.int32),
            "until": np.full(size, NONE, dtype=np.int32),
            "due": np.full(size, _FAR, dtype=np.int32),
            "entangled": np.zeros(size, dtype=np.bool_),
        },
    )


def _ordered(table: Table, rank: NDArray[np.int64]) -> Table:
    """Rows by account, person and course, and last by enrolment; most of them stand so already."""
    place = rank[table.ints("person")] << 32 | table.ints("course")
    if "enrolment" in table.columns:
        return taken(table, np.lexsort((table.ints("enrolment"), place)))
    return taken(table, np.argsort(place, kind="stable"))


# When to look again


def _next(terms: Terms, course: Rows, cycle: Ints, until: Ints) -> Ints:
    """The next date on which time alone changes where trainings stand."""
    on, lead = terms.course_on[course], terms.lead[course]
    ends = (until != NONE) & (until != NEVER)
    opens = until - np.minimum(lead, np.maximum(0, (until - cycle) // 2))
    forgotten = until + 1 + terms.lookback[course]
    due = np.where(opens > on, opens, np.where(until >= on, until + 1, np.where(forgotten > on, forgotten, _FAR)))
    return np.where(ends, due, _FAR).astype(np.int32)


def _dates(found: ReadBlock, terms: Terms, local: Rows, cycle: Ints, until: Ints) -> tuple[Ints, Flags]:
    """For cells of a block, when to look again, and whether what is kept of them is not enough then."""
    here, counted = found.block, found.counted
    entangled = np.zeros(here.cells, dtype=np.bool_)
    entangled[found.booked] = True
    due = np.full(here.cells, _FAR, dtype=np.int32)
    due[local] = _next(terms, here.course(local), cycle, until)
    ahead = counted.part.ints("completed_on")
    late = np.flatnonzero(ahead > terms.on[here.account[counted.part.line]])
    entangled[counted.cell[late]] = True
    np.minimum.at(due, counted.cell[late], ahead[late])
    for cell, held in found.held.items():
        if held.retry_on is not None:
            day = held.retry_on.toordinal() - EPOCH
            if day > terms.on[here.account[cell // here.width]]:
                due[cell] = min(due[cell], day)
    return due[local], entangled[local]

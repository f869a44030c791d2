"""Night after night over one estate, where each looks only at what is due and what changed.

An answer changes by time alone on a few dates that are known beforehand: a window opens, a training expires, an
expiry is too long ago, a pause is over, a completion that lay ahead has come. A `Standing` keeps for every pair what it
came to and the next of these dates. A night reads the pairs whose date has come, and all pairs of the people whose rows
or settings changed; what they were is taken out of the counts and of what is asked for, and what they are is put in.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import final

import numpy as np
from attrs import define, evolve

from enrolpolicy.bulk.allocation import available, spread
from enrolpolicy.bulk.altering import Altered, starts_of
from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.blocks import CELLS, Block, block, blocks
from enrolpolicy.bulk.codes import ENROLS, STATUS_MASK
from enrolpolicy.bulk.columns import NONE, OF_PERSON, Estate, Flags, Ints, Table, Values
from enrolpolicy.bulk.coming import FAR, dates, next_date
from enrolpolicy.bulk.counting import digits
from enrolpolicy.bulk.demand import BOOKED, ENROLLING, demanded, enrolling, looked_after, together, upkeep, where
from enrolpolicy.bulk.holding import Holding, holding
from enrolpolicy.bulk.ledger import Ledger, Places, ledger
from enrolpolicy.bulk.looking import Noticed, unlooked
from enrolpolicy.bulk.memory import keep_what_is_freed
from enrolpolicy.bulk.pairs import Pairs, pairs
from enrolpolicy.bulk.planning import ENROL, EstatePlan, Sums, guards_of
from enrolpolicy.bulk.reading import ReadBlock, read
from enrolpolicy.bulk.straying import about
from enrolpolicy.bulk.tallies import Tallies, tallies
from enrolpolicy.bulk.terms import Nights, Terms, nights_of, terms_of
from enrolpolicy.errors import EnrolPolicyError, InvalidValue
from enrolpolicy.plans import Finding

Asked = tuple[Table, Table]
"""What is asked for: who is to be enrolled, and the bookings that are looked after."""


@final
@define(eq=False)
class Standing:
    """An estate, and what its pairs come to on the last night it was asked about. Made by `standing`.

    It is changed by every `night`, and is not to be used by two at once. The plan of a night is the one `plan_estate`
    makes of the same rows. The estate it refers to is that of this night, and good until the next: newcomers stand at
    its end, and rows that are nobody's any more may be among the others.
    """

    _held: Holding
    _estate: Estate
    _terms: Terms
    _pairs: Pairs
    _ledger: Ledger
    _tallies: Tallies
    _noticed: Noticed
    _between: bool = True
    """Whether it is between two nights, and not in one that broke off."""

    def night(
        self,
        *,
        on: Nights,
        changed: Estate | None = None,
        left: Collection[tuple[str, str]] = (),
        findings: bool = False,
    ) -> EstatePlan:
        """The plan of a night, which is not before the last one.

        `changed` holds people with all their rows as they are now, and their accounts with all settings; its people
        replace those of the same ids, or join. Where settings of an account differ from those of before, they are taken
        over, too, and everybody of the account is looked at again. Its rows about people nobody knows replace those
        about the same ones. `left` are people, by the ids of account and person, who are on the register no more. With
        `findings`, accounts of which anything changed since they were looked for last are looked through for them.

        Raises `InvalidValue`, and changes nothing, for a night before the last, an account or somebody left who is not
        there, rows of somebody who is there and not in `changed`, and where courses or roles of an account came or went
        but `changed` has not everybody of it. After a night that broke off in the middle, be it by an interruption,
        `EnrolPolicyError`.
        """
        if not self._between:
            raise EnrolPolicyError("the last night broke off in the middle; begin a new `Standing`")
        nights = nights_of(self._estate.accounts, on)
        if (nights < self._terms.on).any():
            raise InvalidValue("on", "must not be before the last night; begin a new `Standing` to go back")
        gone = self._held.rows(left)
        found = None if changed is None else self._held.compared(changed, gone)
        self._between = False
        self._tidy()
        again = self._leave(gone)
        if changed is not None and found is not None:
            again = self._take_over(changed, found, again)
        self._estate = self._held.estate()
        if found is not None and found.settings.any():
            self._terms = terms_of(self._estate, on)
        self._terms = evolve(self._terms.moved(self._estate, nights), digits=self._held.people.array("digits"))
        due, person = self._due(again)
        self._drop(again, due, person)
        news = [self._move_on(due, person)]
        news += [self._take_in(read(some, self._terms)) for some in self._blocks(again)]
        self._put_in(news)
        plan = self._plan(self._noticed.of(self._held, nights) if findings else ((),) * len(nights))
        self._between = True
        return plan

    def begin(self) -> None:
        """Read everybody, once, before the first night."""
        keep_what_is_freed()
        self._put_in([self._take_in(read(some, self._terms)) for some in blocks(self._estate, self._terms)])

    # What changed

    def _leave(self, gone: Rows) -> Flags:
        """Let people go; who of all people is to be read again, who are those."""
        self._held.leave(gone)
        self._noticed.touch(self._account[gone])
        again = np.zeros(self._held.people.used, dtype=np.bool_)
        again[gone] = True
        return again

    def _take_over(self, changed: Estate, found: Altered, again: Flags) -> Flags:
        """Put in what changed; who of all people is to be read again, those among them who were."""
        stood, settled = len(again), found.account[found.settings]
        if len(settled):
            self._held.resettle(changed, found)
        come = self._held.replace(changed, found)
        account = self._account
        again = np.concatenate((again, np.ones(len(account) - stood, dtype=np.bool_)))
        again[come] = True
        self._noticed.touch(account[come])
        if self._held.strays.any_with(changed):
            self._noticed.touch(np.array([of for of, _ in about(changed, found.account)], dtype=np.intp))
        again |= np.isin(account, settled)
        self._noticed.touch(settled)
        self._make_room(stood, found.account[found.catalogue])
        if len(settled) or len(account) > stood:
            self._stand(again)
        return again

    def _make_room(self, stood: int, catalogues: Ints) -> None:
        """Cells for newcomers, and others for the people of accounts whose courses came or went."""
        account = self._account
        anew = np.isin(account, catalogues)
        anew[stood:] = True
        room = np.flatnonzero(anew)
        self._pairs.give(room, _widths(self._held.settings)[account[room]])
        self._tallies.said[catalogues] = 0
        self._tallies.join(len(account) - stood)

    def _stand(self, again: Flags) -> None:
        """Go by where everybody and all courses stand now."""
        places = _places(self._held)
        people = np.flatnonzero(again[: len(self._ledger.places.rank)])
        self._ledger.drop(self._account[people], people)
        self._ledger.moved(places.first - self._ledger.places.first, places)

    def _tidy(self) -> None:
        """Let go of rows that are nobody's, where there are many."""
        for name in OF_PERSON:
            rows = self._held.tidied(name)
            if rows is not None and name == "enrolments":
                self._ledger.renumber(rows)
        self._pairs.tidy()
        self._ledger.tidy()

    @property
    def _account(self) -> Ints:
        """The account of everybody."""
        account: Ints = self._held.people.array("account")
        return account

    # What is due

    def _due(self, again: Flags) -> tuple[Rows, Rows]:
        """The pairs whose date has come and that follow from what is kept of them, and the person of each.

        The people of others are marked.
        """
        on, of = self._terms.on, self._pairs.cells.array
        cells = self._pairs.come(int(on.max(initial=NONE)))
        person = self._pairs.owners(cells)
        due = of("due")[cells]
        come = due <= on[self._account[person]]
        self._pairs.note(cells[~come], due[~come])
        again[person[come & of("entangled")[cells]]] = True
        alone = np.flatnonzero(come & ~again[person])
        return cells[alone], person[alone]

    def _drop(self, again: Flags, due: Rows, person: Rows) -> None:
        """Take out what people and pairs asked for."""
        wanted = self._pairs.cells.array("said")[due] == ENROLS
        person, course = person[wanted], self._courses(due[wanted], person[wanted])
        keys = self._ledger.places.keys(ENROL, self._account[person], person, course)
        people = np.flatnonzero(again)
        self._ledger.drop(self._account[people], people, keys)

    def _courses(self, cells: Rows, person: Rows) -> Rows:
        first = self._ledger.places.first[self._account[person]]
        courses: Rows = cells - self._pairs.people.array("base")[person] + first
        return courses

    def _move_on(self, cells: Rows, person: Rows) -> Asked:
        """Pairs whose date has come, and of which all that is needed is kept."""
        of, terms = self._pairs.cells.array, self._terms
        course, account = self._courses(cells, person), self._account[person]
        cycle, until, said = (of(name)[cells] for name in ("cycle", "until", "said"))
        status = digits(terms, course, cycle, until, terms.course_on[course])
        own = (of("own")[cells] & ~np.uint8(STATUS_MASK)) | status
        now = terms.codes.reasons((own | terms.digits[person] | terms.profile[course]).astype(np.int64))
        self._tallies.recount(account, said, now)
        of("own")[cells], of("said")[cells] = own, now
        self._pairs.note(cells, next_date(terms, course, cycle, until))
        columns: dict[str, Values] = {
            "person": person,
            "course": course,
            "own": own,
            "cycle_on": cycle,
            "until": until,
        }
        columns["attempt"] = np.zeros(len(cells), dtype=np.int32)  # no booking of the cycle has ended
        return where(together(ENROLLING, [Table(len(cells), columns)]), now == ENROLS), together(BOOKED, [])

    # Who is read again

    def _blocks(self, again: Flags) -> Iterator[Block]:
        """Blocks of people, of accounts with like catalogues."""
        people = np.flatnonzero(again)
        widths = np.maximum(1, self._pairs.people.array("width")[people])
        like = np.frexp(widths)[1]
        order = np.lexsort((self._account[people], like))
        people, widths, like = people[order], widths[order], like[order]
        for first, last in pairwise((0, *(np.flatnonzero(np.diff(like)) + 1).tolist(), len(people))):
            width = int(widths[first:last].max(initial=1))
            most = max(1, CELLS // width)
            for start in range(first, last, most):
                some = people[start : min(start + most, last)]
                yield block(self._estate, self._terms, some, width, self._held.spans())

    def _take_in(self, found: ReadBlock) -> Asked:
        """Put in what a block came to."""
        here, of = found.block, self._pairs.cells.array
        people = np.arange(here.people.start, here.people.stop) if isinstance(here.people, slice) else here.people
        inside, cells = self._pairs.of(people, here.width)
        account, said = np.repeat(here.account, here.width)[inside], found.reasons[inside]
        self._tallies.recount(account, of("said")[cells], said)
        self._tallies.add_up(people, found)
        of("own")[cells], of("said")[cells], of("due")[cells] = found.own[inside], said, FAR
        coming = dates(found, self._terms)
        cells = self._pairs.people.array("base")[people[coming.line]] + coming.local - coming.line * here.width
        of("cycle")[cells], of("until")[cells] = coming.cycle, coming.until
        of("entangled")[cells] = coming.entangled
        self._pairs.note(cells, coming.due)
        return enrolling(found), looked_after(found)

    def _put_in(self, news: Sequence[Asked]) -> None:
        """Put in what pairs ask for."""
        wanted = demanded(self._estate, together(ENROLLING, [asked for asked, _ in news]))
        kept_up = upkeep(self._estate, together(BOOKED, [booked for _, booked in news]))
        self._ledger.add(spread(self._estate, self._terms, wanted), kept_up)

    # The plan

    def _plan(self, findings: tuple[tuple[Finding, ...], ...]) -> EstatePlan:
        estate, sums = self._estate, self._tallies.sums
        credits = available(estate, sums["reserved"])
        actions, deferred = self._ledger.concluded(self._terms.on, credits)
        reached = Sums(credits=credits, cancellable=sums["cancellable"], deserted=self._deserted())
        return EstatePlan(
            estate=estate,
            on=self._terms.on,
            actions=actions,
            deferred=deferred,
            not_enrolled=self._tallies.not_enrolled,
            guards=guards_of(estate, actions, reached),
            findings=findings,
            standing=True,
        )

    def _deserted(self) -> Flags:
        """The accounts with open enrolments and nobody on the register."""
        found = np.zeros(len(self._estate.accounts), dtype=np.bool_)
        booked = self._held.strays.booked()
        if booked:
            found[booked] = True
            found[self._account[self._held.people.array("here")]] = False
        return found


def standing(estate: Estate, *, on: Nights) -> Standing:
    """Read an estate on a night, and keep what its pairs come to; `night` gives the plan of that or a later one."""
    held = holding(estate)
    whole, size = held.estate(), len(estate.accounts)
    widths = _widths(estate)[estate.personnel.ints("account")]
    kept = pairs(widths), ledger(_places(held)), tallies(size, len(widths)), unlooked(size)
    found = Standing(held, whole, terms_of(whole, on), *kept)
    found.begin()
    return found


def _widths(settings: Estate) -> Ints:
    """How many courses each account has."""
    return np.diff(starts_of(settings.courses, len(settings.accounts)))


def _places(held: Holding) -> Places:
    settings = held.settings
    first = starts_of(settings.courses, len(settings.accounts))[:-1]
    return Places(held.people.array("rank").copy(), first, int(_widths(settings).max(initial=1)))

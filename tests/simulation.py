"""A small world in which nights are run while everything goes wrong that may: for the tests of the runner.

One person or two, one course, a store, an LMS and a mailer in memory, and runs that are generators of calls. Before
each call somebody *chooses* what happens: the call is made; the run dies before it, or after it; the request is lost,
or its answer, or it arrives late; another run goes first; time passes until all leases are over; the LMS refuses;
somebody starts, opts out, leaves, takes the training elsewhere, or cancels. What can be chosen is bounded by a
`Budget`.

The chooser is all that differs between the ways to explore: one that tries everything, one that throws dice with a
seed, and Hypothesis. After each step the invariants are looked at from outside; when nothing is left to choose, faults
stop, late requests arrive, and clean runs must put everything in order.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Protocol

from attrs import evolve, field, frozen, mutable

from enrolpolicy import (
    Account,
    Cancel,
    Course,
    Delivery,
    Employment,
    Enrolment,
    EnrolmentStatus,
    HeldRole,
    Level,
    Origin,
    Person,
    Role,
    RoleCourse,
    Snapshot,
    TrainingRecord,
    cancel,
    plan,
)
from enrolpolicy.adapters import memory_store
from enrolpolicy.adapters.memory import STRONG, MemoryLms, MemoryMailer, MemoryStore
from enrolpolicy.guarantees import Weakness, guarantee
from enrolpolicy.ports import Done, LmsCapabilities, Progress, Refused, Unknown
from enrolpolicy.reports import Report
from enrolpolicy.rows import LetterStatus, NoSuchMove, Row, RowStatus
from enrolpolicy.runner.calls import Call, Steps
from enrolpolicy.runner.job import Job
from enrolpolicy.runner.nights import steps_of_actions, steps_of_night

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LEASE = timedelta(minutes=10)
LATEST = timedelta(minutes=30)
ACCOUNT = "acme"


class Broken(AssertionError):
    """An invariant that does not hold: its number, and what was seen."""

    def __init__(self, invariant: str, seen: str) -> None:
        super().__init__(f"{invariant}: {seen}")
        self.invariant = invariant


# What may be chosen


@frozen(kw_only=True)
class Budget:
    """How often each kind of trouble may be chosen in one world; `runs` work at the same time."""

    runs: int = 2
    switch: int = 0
    """Another run goes first."""
    pause: int = 0
    """Time passes until all leases are over."""
    crash: int = 0
    """A run dies, before or after its call."""
    silence: int = 0
    """A request or its answer is lost."""
    late: int = 0
    """A request arrives later, and nobody hears of it."""
    commit: int = 0
    """A transaction of which nobody knows whether it was done."""
    refuse: int = 0
    """The LMS refuses an enrolment, or a cancellation."""
    mail: int = 0
    """The mailer refuses a letter for now."""
    people: int = 0
    """Somebody does something."""


Chooser = Callable[[int, str], int]
"""Which of so many things happens next; the label says where."""


# The world


def register(people: int = 1, credits: int | None = 5) -> Snapshot:
    """A register in which so many people are due on one course."""
    course = Course(id="fire", name="Fire safety", delivery=Delivery.IHASCO, auto_enrol=True)
    role = Role(id="warden", name="Warden", requirements=(RoleCourse(course="fire", level=Level.REQUIRED),))
    names = ["ana", "bo", "cy"][:people]
    return Snapshot(
        account=Account(id=ACCOUNT, timezone="UTC", credits=credits),
        courses=(course,),
        roles=(role,),
        personnel=tuple(
            Person(
                id=name,
                name=name.title(),
                email=f"{name}@acme.example",
                employment=Employment.EMPLOYEE,
                roles=(HeldRole(role="warden"),),
            )
            for name in names
        ),
        records=tuple(
            TrainingRecord(
                person=name,
                course="fire",
                completed_on=date(2025, 12, 10),
                expires_on=date(2026, 12, 10 + index),
            )
            for index, name in enumerate(names)
        ),
    )


@mutable(kw_only=True)
class Setting:
    """What a world is made of; the sabotages change it."""

    lms: LmsCapabilities = STRONG
    """What the LMS is."""
    declared: LmsCapabilities | None = None
    """What it is taken for; None: what it is."""
    accept: frozenset[Weakness] = frozenset()
    register: Snapshot = field(factory=register)
    deduplicates: bool = True
    batch: int = 5
    enforced: bool = True
    """Whether the store keeps its constraints."""
    turns: bool = True
    """Whether runs that need the account to themselves take turns."""


class Runner(Protocol):
    """Makes the steps of one run."""

    def __call__(self, job: Job) -> Steps[Report]: ...


@mutable(kw_only=True)
class _Live:
    """A run under way, and the call it waits for."""

    steps: Steps[Report]
    name: str
    call: Call | None = None
    calls: int = 0


@frozen(eq=False, kw_only=True)
class _Late:
    """A request under way that nobody waits for any more, and by when it must arrive."""

    name: str
    effect: Callable[[], object]
    by: datetime | None


class World:
    """One world, from its setting to its end; `trace` tells what was chosen."""

    def __init__(self, setting: Setting, budget: Budget, choose: Chooser, runner: Runner = steps_of_night) -> None:
        self.setting = setting
        self.left = {name: getattr(budget, name) for name in _TROUBLES}
        self.choose = choose
        self.runner = runner
        self.at = START
        self.trace: list[str] = []
        self.late: list[_Late] = []
        self.started_before_cancel: list[str] = []
        self.granted = setting.register.account.credits
        self.store = MemoryStore(setting.register, _bystander(), clock=self.clock)
        self.lms = MemoryLms(setting.lms, clock=self.clock)
        window = timedelta(days=365) if setting.deduplicates else None
        self.mailer = MemoryMailer(deduplicates_for=window, clock=self.clock)
        self._bystanders = self._of_bystander()
        self._unwanted: set[str] = set()
        self._runs = 0

    def clock(self) -> datetime:
        return self.at

    # Exploring

    def play(self, budget: Budget) -> None:
        """All that was chosen, and then what puts it in order."""
        runs = [self._begin() for _ in range(budget.runs)]
        while runs:
            current = runs[0]
            options = list(self._options(runs))
            label, act = options[self.choose(len(options), current.name)]
            if label:
                self.trace.append(label)
            if act(current) is _ENDED:
                runs.remove(current)
            self._look()
        self._recover()

    def _begin(self) -> _Live:
        self._runs += 1
        run = _Live(steps=self.runner(self._job()), name=f"run {self._runs}")
        _send(run, None)
        return run

    def _job(self) -> Job:
        declared = self.setting.declared or self.setting.lms
        found = guarantee(declared, self.mailer.capabilities, self.setting.accept)
        if not self.setting.turns:
            found = evolve(found, weaknesses=())
        return Job(
            account=ACCOUNT,
            on=self.at.date(),
            at=self.at,
            actor="enrolpolicy",
            owner=f"run {self._runs}",
            lms=declared,
            guarantee=found,
            compose=lambda invitation: f"{invitation.key} {invitation.name}".encode(),
            lease=LEASE,
            batch=self.setting.batch,
            tries=20,
            patience=50,
        )

    def _options(self, runs: list[_Live]) -> Iterator[tuple[str, Callable[[_Live], object]]]:
        """What may happen now, what is usual first."""
        run, call = runs[0], runs[0].call
        assert call is not None
        yield "", self._go
        where = f"{run.name} at call {run.calls}, {call.port}.{call.method}"
        if self.left["switch"] and len(runs) > 1:
            yield f"{where}: another run goes first", lambda _: self._spend("switch", lambda: runs.append(runs.pop(0)))
        if self.left["pause"]:
            yield f"{where}: all leases end", lambda _: self._spend("pause", self._pass_time)
        if self.left["crash"]:
            yield f"{where}: dies before it", lambda one: self._spend("crash", lambda: _ENDED)
            yield f"{where}: dies after it", lambda one: self._spend("crash", lambda: (self._perform(call), _ENDED)[1])
        yield from self._unanswered(call, where)
        if self.left["people"]:
            yield f"{where}: somebody cancels it", lambda _: self._spend("people", lambda: self._ask_to_cancel(runs))
            for name, happens in self._events():
                yield f"{where}: {name}", partial(self._happens, happens)
        for late in self.late:
            yield f"{late.name} arrives", partial(self._arrive, late)

    def _unanswered(self, call: Call, where: str) -> Iterator[tuple[str, Callable[[_Live], object]]]:
        silent = "commit" if call.port == "store" else "silence"
        if call.method not in _EFFECTS:
            return
        if self.left[silent]:
            yield f"{where}: lost", lambda run: self._spend(silent, lambda: self._answer(run, Unknown("lost")))
            yield f"{where}: its answer lost", lambda run: self._spend(silent, lambda: self._unheard(run, call))
        if self.left["late"] and call.port != "store":
            yield f"{where}: arrives late", lambda run: self._spend("late", lambda: self._later(run, call))
        if self.left["mail"] and call.method == "send":
            greylisted = Refused("greylisted", final=False)
            yield f"{where}: not now", lambda run: self._spend("mail", lambda: self._answer(run, greylisted))
        if self.left["refuse"] and call.method == "enrol":
            yield f"{where}: refused", lambda run: self._spend("refuse", lambda: self._refuse(run, call))
        if self.left["refuse"] and call.method == "cancel_if_not_started":
            not_allowed = Refused("not-allowed")
            yield f"{where}: refused", lambda run: self._spend("refuse", lambda: self._answer(run, not_allowed))

    # What happens

    def _spend(self, trouble: str, act: Callable[[], object]) -> object:
        self.left[trouble] -= 1
        return act()

    def _happens(self, event: Callable[[], object], _: _Live) -> object:
        return self._spend("people", event)

    def _go(self, run: _Live) -> object:
        assert run.call is not None
        return self._answer(run, self._perform(run.call))

    def _answer(self, run: _Live, answer: object) -> object:
        return _send(run, answer)

    def _unheard(self, run: _Live, call: Call) -> object:
        self._perform(call)
        return self._answer(run, Unknown("its answer is lost"))

    def _later(self, run: _Live, call: Call) -> object:
        bound = self.setting.lms.latest_arrival if call.port == "lms" else None
        by = None if bound is None else self.at + bound
        self.late.append(_Late(name=f"late {call.port}.{call.method}", effect=lambda: self._perform(call), by=by))
        return self._answer(run, Unknown("no answer"))

    def _arrive(self, late: "_Late", _: _Live | None = None) -> None:
        self.late.remove(late)
        late.effect()

    def _refuse(self, run: _Live, call: Call) -> object:
        order: Any = call.arguments[0]
        self.lms.refusals[order.person, order.course] = "no-seat"
        answer = self._perform(call)
        del self.lms.refusals[order.person, order.course]
        return self._answer(run, answer)

    def _pass_time(self, by: timedelta = LEASE + timedelta(seconds=1)) -> None:
        for late in [late for late in self.late if late.by is not None and late.by <= self.at + by]:
            self.trace.append(f"{late.name} arrives, at the last moment")
            self._arrive(late)
            self._look()
        self.at += by

    def _events(self) -> Iterator[tuple[str, Callable[[], None]]]:
        yield "ana opts out", lambda: self._person(auto_enrol=False)
        yield "ana leaves", lambda: self._person(archived=True)
        yield "ana takes the training elsewhere", self._taken_elsewhere
        if self._bookable("bo"):
            yield "bo is booked by hand", self._booked_by_hand
        for order, progress in self.lms.bookings():
            if order.person == "ana" and progress is Progress.NOT_STARTED:
                yield "ana starts", partial(self.lms.start, order.key)

    def _ask_to_cancel(self, runs: list[_Live]) -> None:
        asked = [cancel(self._whole(), row.key) for row in self.store.rows(ACCOUNT) if row.person == "ana"]
        actions = [action for action in asked if isinstance(action, Cancel)]
        self._runs += 1
        run = _Live(steps=steps_of_actions(self._job(), actions), name=f"run {self._runs}")
        if _send(run, None) is not _ENDED:
            runs.insert(0, run)

    def _person(self, **changes: Any) -> None:
        register = self._whole()
        people = (evolve(register.personnel[0], **changes), *register.personnel[1:])
        self.store.put(evolve(register, personnel=people))

    def _bookable(self, person: str) -> bool:
        """Whether somebody can be booked by hand: nobody has yet, and there is a credit."""
        rows, credits = self.store.rows(ACCOUNT), self.store.register(ACCOUNT).account.credits
        reserved = sum(row.credits for row in rows if row.status in _RESERVING)
        known = any(row.id == person for row in self.setting.register.personnel)
        return known and not any(row.person == person for row in rows) and (credits is None or credits > reserved)

    def _booked_by_hand(self) -> None:
        by_hand = Enrolment(
            id="by-hand",
            person="bo",
            course="fire",
            origin=Origin.MANUAL,
            status=EnrolmentStatus.BOOKED,
            enrolled_at=self.at,
            invited_at=self.at,
        )
        register = self._whole()
        self.store.put(evolve(register, enrolments=(*register.enrolments, by_hand)))

    def _taken_elsewhere(self) -> None:
        register = self._whole()
        taken = TrainingRecord(
            person="ana", course="fire", completed_on=self.at.date(), expires_on=self.at.date() + timedelta(days=365)
        )
        self.store.put(evolve(register, records=(*register.records, taken)))

    # The calls, watched from outside

    def _perform(self, call: Call) -> object:
        port = {"store": self.store, "lms": self.lms, "mailer": self.mailer}[call.port]
        if call.port == "store" and call.method == "transact":
            return self._transact(call)
        if call.method == "cancel_if_not_started":
            begun = [order.key for order, progress in self.lms.bookings() if progress in _BEGUN]
        answer: object = getattr(port, call.method)(*call.arguments)
        if call.method == "cancel_if_not_started":
            still = [order.key for order, progress in self.lms.bookings() if progress in _BEGUN]
            if still != begun and (self.setting.declared or self.setting.lms).cancels_unstarted:
                raise Broken("I4", "what was started has been cancelled")
        if call.method == "send":
            self._look_at_letter(call.arguments[0])
        if self.setting.declared is not None and isinstance(answer, Refused):
            return evolve(answer, final=self.setting.declared.refusals_final)  # as it says, whether it is so or not
        return answer

    def _transact(self, call: Call) -> object:
        rows = {row.key: row for row in self.store.rows(ACCOUNT)}
        letters = {letter.message_id: letter for letter in self.store.letters(ACCOUNT)}
        entries = len(self.store.journal(ACCOUNT))
        before = self.store.snapshot(ACCOUNT)
        account, people, work = call.arguments
        answer = self._store_transact(account, people, work)
        moved = 0
        for row in self.store.rows(ACCOUNT):
            was = rows.get(row.key)
            if was is None or was.status is not row.status:
                moved += 1
                self._look_at_move(was, row, before)
        written = self.store.journal(ACCOUNT)[entries:]
        if len(written) < moved:
            raise Broken("I11", f"{moved} moves, and {len(written)} entries")
        for entry in written:
            if (entry.was, entry.now) not in _ARROWS:
                raise Broken("I9", f"{entry.was} became {entry.now}")
        self._look_at_letters(letters)
        return answer

    def _store_transact(self, account: Any, people: Any, work: Any) -> object:
        if self.setting.enforced:
            return self.store.transact(account, people, work)
        books = self.store._books[account]
        writes, answer = work(memory_store._desk(books, people, self.at))
        memory_store._write(books, writes)
        return Done(answer)

    # Invariants, at every step

    def _look(self) -> None:
        """I1, I2, I10: how many enrolments, whose credits, whose rows."""
        gone = Progress.CANCELLED if (self.setting.declared or self.setting.lms).cancel_frees_key else None
        keys = [order.key for order, progress in self.lms.bookings() if progress is not gone]
        if len(set(keys)) < len(keys):
            raise Broken("I1", "two enrolments under one key")
        open_now = [
            (order.person, order.course)
            for order, progress in self.lms.bookings()
            if progress in (Progress.NOT_STARTED, Progress.IN_PROGRESS)
        ]
        if len(set(open_now)) < len(open_now):
            raise Broken("I1", "a person enrolled twice on a course at the same time")
        credits = self.store.register(ACCOUNT).account.credits
        if credits is not None and self.granted is not None:
            reserved = sum(row.credits for row in self.store.rows(ACCOUNT) if row.status in _RESERVING)
            charged = sum(1 for _, progress in self.lms.bookings() if progress is not Progress.CANCELLED)
            if not 0 <= reserved <= credits <= self.granted:
                raise Broken("I2", f"{reserved} reserved of {credits}")
            if charged > self.granted:
                raise Broken("I2", f"the LMS charged {charged} of {self.granted}")
        if self._of_bystander() != self._bystanders:
            raise Broken("I10", "the rows of another account changed")

    def _of_bystander(self) -> object:
        return self.store.rows("bystander"), self.store.letters("bystander"), self.store.journal("bystander")

    def _look_at_move(self, was: Row | None, now: Row, before: object) -> None:
        """I8: nothing is claimed that the policy would not enrol on the facts of that moment.

        Bookings of people who had opted out by the time they were confirmed are remembered.
        """
        if was is None and isinstance(before, Done):
            wanted = {action.key for action in plan(before.value, on=self.at.date()).enrolments}
            if now.key not in wanted:
                raise Broken("I8", "claimed what is not to be enrolled")
        if was is not None and was.status is RowStatus.PENDING and now.status is not RowStatus.PENDING:
            people = {person.id: person for person in self.store.register(ACCOUNT).personnel}
            if now.status is RowStatus.BOOKED and not people[now.person].auto_enrol:
                self._unwanted.add(now.key)

    def _look_at_letters(self, before: dict[str, Any]) -> None:
        """I7: no letter is begun whose row is not booked."""
        rows = {row.key: row for row in self.store.rows(ACCOUNT)}
        for letter in self.store.letters(ACCOUNT):
            was = before.get(letter.message_id)
            begun = letter.tries > (was.tries if was is not None else 0)
            if begun and rows[letter.key].status is not RowStatus.BOOKED:
                raise Broken("I7", f"a letter begun while its row is {rows[letter.key].status.value}")

    def _look_at_letter(self, message: Any) -> None:
        """I5: no invitation without an enrolment."""
        key = message.content.decode().split()[0]
        pairs = {(row.person, row.course) for row in self.store.rows(ACCOUNT) if row.key == key}
        if not pairs & {(order.person, order.course) for order, _ in self.lms.bookings()}:
            raise Broken("I5", "an invitation to what the LMS does not have")

    # Putting it in order

    def _recover(self) -> None:
        """Faults stop, and two clean runs must put everything in order, whenever a late request arrives.

        Where the policy waits a day after a refusal, or the runner until no late request can arrive any more, two more
        runs come after that.
        """
        self.left = dict.fromkeys(self.left, 0)
        landing = self.choose(3, "late requests") if self.late else 0
        if landing == 0:
            self._land()
        self._clean_run()
        if landing == 1:
            self._land()
        self._clean_run()
        bound = self.setting.lms.latest_arrival
        if any(row.status in (RowStatus.REFUSED, RowStatus.CANCELLED) for row in self.store.rows(ACCOUNT)):
            self._clean_run(after=timedelta(days=1))
            self._clean_run()
        elif bound is not None:
            self._clean_run(after=bound)
            self._clean_run()
        if self.late:
            self._land()
            self._clean_run()
            self._clean_run()
        self._look_at_rest()

    def _land(self) -> None:
        for late in list(self.late):
            self.trace.append(f"{late.name} arrives")
            self._arrive(late)
            self._look()

    def _clean_run(self, after: timedelta = LEASE + timedelta(seconds=1)) -> None:
        self._pass_time(after)
        run = self._begin()
        while run.call is not None:
            self._go(run)
            self._look()

    def _look_at_rest(self) -> None:
        """I3, I6 and liveness: everything is known, invited, settled; who is wanted is booked, who is not is not."""
        rows = {row.key: row for row in self.store.rows(ACCOUNT)}
        for order, progress in self.lms.bookings():
            row = rows.get(order.key)
            if row is None or (row.ref is None and row.status is not RowStatus.HELD):
                raise Broken("I3", "an enrolment at the LMS that the store does not know")
            if progress is Progress.NOT_STARTED and row.status not in (RowStatus.BOOKED, RowStatus.HELD):
                raise Broken("I3", f"open at the LMS, and {row.status.value} in the store")
        for row in rows.values():
            if row.status in (RowStatus.PENDING, RowStatus.CANCELLING):
                raise Broken("L2", f"still {row.status.value}")
        self._look_at_invitations(rows)
        for letter in self.store.letters(ACCOUNT):
            if letter.status is LetterStatus.PENDING:
                raise Broken("L4", "a letter is left in the outbox")
        tonight = plan(self._whole(), on=self.at.date())
        if tonight.enrolments:
            raise Broken("L1", "somebody wanted and affordable is not booked")
        if tonight.cancellations:
            raise Broken("L3", "a booking nobody wants is not cancelled")
        if tonight.invitations and not self._at_most_one:
            raise Broken("L4", "an invitation is still asked for")
        for key in self._unwanted:
            if rows[key].status is RowStatus.BOOKED:
                raise Broken("L3", "a booking of somebody who had opted out before it was made is not cancelled")

    @property
    def _at_most_one(self) -> bool:
        """Whether the host would rather have no invitation than two."""
        return Weakness.AT_MOST_ONE_INVITATION in self.setting.accept

    def _whole(self) -> Snapshot:
        snapshot = self.store.snapshot(ACCOUNT)
        assert isinstance(snapshot, Done)
        return snapshot.value

    def _look_at_invitations(self, rows: dict[str, Row]) -> None:
        sent: dict[str, int] = {}
        for message in self.mailer.inbox:
            key = message.content.decode().split()[0]
            sent[key] = sent.get(key, 0) + 1
        for key, row in rows.items():
            asked = row.status is RowStatus.BOOKED and row.origin is Origin.AUTO and not self._at_most_one
            if asked and not sent.get(key):
                raise Broken("I6", "booked, and never invited")
            if (self.setting.deduplicates or self._at_most_one) and sent.get(key, 0) > 1:
                raise Broken("I6", "invited twice")


_TROUBLES = ("switch", "pause", "crash", "silence", "late", "commit", "refuse", "mail", "people")
_EFFECTS = frozenset({"enrol", "cancel_if_not_started", "send", "transact"})
_BEGUN = (Progress.IN_PROGRESS, Progress.COMPLETED)
_RESERVING = (RowStatus.PENDING, RowStatus.HELD, RowStatus.BOOKED, RowStatus.CANCELLING)
_ENDED = object()

# The arrows of the protocol, written down once more, from its description and not from the code.
_ARROWS = {
    (None, RowStatus.PENDING),
    (RowStatus.PENDING, RowStatus.PENDING),
    (RowStatus.PENDING, RowStatus.BOOKED),
    (RowStatus.PENDING, RowStatus.REFUSED),
    (RowStatus.PENDING, RowStatus.HELD),
    (RowStatus.BOOKED, RowStatus.CANCELLING),
    (RowStatus.CANCELLING, RowStatus.CANCELLING),
    (RowStatus.CANCELLING, RowStatus.CANCELLED),
    (RowStatus.CANCELLING, RowStatus.BOOKED),
    (RowStatus.CANCELLING, RowStatus.IN_PROGRESS),
    (RowStatus.CANCELLING, RowStatus.COMPLETED),
    (RowStatus.BOOKED, RowStatus.IN_PROGRESS),
    (RowStatus.BOOKED, RowStatus.COMPLETED),
    (RowStatus.IN_PROGRESS, RowStatus.COMPLETED),
    (RowStatus.CANCELLED, RowStatus.BOOKED),
    (RowStatus.REFUSED, RowStatus.BOOKED),
}


def _send(run: _Live, answer: object) -> object:
    """Give a run its answer, and let it come to its next call; what it tells on the way is not looked at."""
    while True:
        try:
            effect = run.steps.send(answer)
        except StopIteration:
            run.call = None
            return _ENDED
        if isinstance(effect, Call):
            run.call = effect
            run.calls += 1
            return None
        answer = None


def _bystander() -> Snapshot:
    return evolve(register(), account=Account(id="bystander", timezone="UTC", credits=5))


# What LMSs there are

LATE = evolve(STRONG, refusals_final=False, cancel_frees_key=True, latest_arrival=LATEST)
"""Keys for ever, but refusals can turn into enrolments, and cancelled keys are forgotten."""
FOR_A_DAY = evolve(STRONG, keys_kept=timedelta(days=1), latest_arrival=LATEST)
FIND = evolve(STRONG, keys_kept=None, latest_arrival=LATEST)
ONE_OPEN = evolve(STRONG, keys_kept=None, one_open=True, cancels_unstarted=False, cancel_frees_key=True)
NOTHING = evolve(STRONG, keys_kept=None, finds=False)


# Ways to choose


@frozen
class Found:
    """An invariant that broke, and what had been chosen."""

    invariant: str
    seen: str
    trace: tuple[str, ...]


def one(setting: Callable[[], Setting], budget: Budget, choose: Chooser, runner: Runner) -> Found | None:
    """Play one world; what broke in it, if anything did."""
    world = World(setting(), budget, choose, runner)
    try:
        world.play(budget)
    except Broken as broken:
        return Found(broken.invariant, str(broken), tuple(world.trace))
    except NoSuchMove as none:
        return Found("I9", f"`{none.was.value}` does not become `{none.now.value}`", tuple(world.trace))
    return None


def exhaustively(
    setting: Callable[[], Setting],
    budget: Budget,
    runner: Runner = steps_of_night,
    enough: Callable[[], bool] = lambda: False,
) -> tuple[int, Found | None]:
    """Play every world there is within a budget, or until it is enough; how many, and the first that broke."""
    prefix: list[int] = []
    played = 0
    while True:
        taken: list[tuple[int, int]] = []

        def choose(n: int, _: str, taken: list[tuple[int, int]] = taken, prefix: list[int] = prefix) -> int:
            choice = prefix[len(taken)] if len(taken) < len(prefix) else 0
            taken.append((choice, n))
            return choice

        found = one(setting, budget, choose, runner)
        played += 1
        while taken and taken[-1][0] == taken[-1][1] - 1:
            taken.pop()
        if found is not None or not taken or enough():
            return played, found
        prefix = [choice for choice, _ in taken[:-1]] + [taken[-1][0] + 1]


def by_dice(
    setting: Callable[[], Setting], budget: Budget, seeds: range, runner: Runner = steps_of_night
) -> tuple[int, Found | None]:
    """Play a world for each seed; how many, and the first that broke."""
    for played, seed in enumerate(seeds, 1):
        dice = Random(seed)

        def choose(n: int, _: str, dice: Random = dice) -> int:
            return 0 if n == 1 or dice.random() < 0.7 else dice.randrange(n)

        found = one(setting, budget, choose, runner)
        if found is not None:
            return played, found
    return len(seeds), None

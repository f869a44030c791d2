"""What becomes of the promises when a safeguard is switched off: one at a time, with what must be seen then.

Each sabotage replaces a part of the runner, or has the LMS be weaker than it is taken for. The budget is the smallest
found in which exploring every world breaks an invariant; `expected` names those that may.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

from attrs import evolve, frozen

from enrolpolicy.adapters.memory import STRONG
from enrolpolicy.guarantees import Weakness
from enrolpolicy.night import night
from enrolpolicy.plans import Enrol
from enrolpolicy.ports import Done, Order, Receipt, Writes
from enrolpolicy.rows import Row, RowStatus
from enrolpolicy.runner import effects, mailing, moves, nights, settling
from enrolpolicy.runner.calls import Run, Steps
from enrolpolicy.runner.job import Job
from enrolpolicy.runner.sheet import Sheet
from simulation import FIND, LATE, NOTHING, Budget, Found, Setting, by_dice, exhaustively, register

Switch = Callable[[], AbstractContextManager[object]]


@frozen(kw_only=True)
class Sabotage:
    """A safeguard switched off: which, what it does otherwise, and what must be seen."""

    off: str
    expected: tuple[str, ...]
    budget: Budget
    setting: Callable[[], Setting] = Setting
    switch: Switch = nullcontext
    seeds: range | None = None
    """Where exploring everything takes too long: the dice that are thrown."""

    def explored(self) -> tuple[int, Found | None]:
        """How many worlds were played until the first that broke."""
        with self.switch():
            if self.seeds is None:
                return exhaustively(self.setting, self.budget)
            return by_dice(self.setting, self.budget, self.seeds)


def _patched(*patches: tuple[object, str, object]) -> Switch:
    @contextmanager
    def switched() -> Iterator[None]:
        with ExitStack() as stack:
            for target, name, instead in patches:
                stack.enter_context(patch.object(target, name, instead))
            yield

    return switched


# Parts of the runner, done wrong


def _ask_first(run: Run, actions: Sequence[Enrol]) -> Steps[None]:
    """The LMS is asked before anything is written down."""
    for action in actions:
        order = Order(
            key=action.key, account=run.job.account, person=action.person, course=action.course,
            cycle=action.cycle, attempt=action.attempt,
        )  # fmt: skip
        said = yield from run.lms("enrol", Receipt, order)
        if isinstance(said, Done):
            [row] = yield from run.each([action], moves.claim, "enrol")
            if isinstance(row, Row):
                yield from effects.write_down(run, [moves.Answer(row=row, said=said)])


_NUMBERS = count()


def _new_key(row: Row) -> Order:
    return Order(
        key=f"{row.key}-{next(_NUMBERS)}", account=row.account, person=row.person, course=row.course,
        cycle=row.cycle or "", attempt=row.attempt,
    )  # fmt: skip


def _whoever(sheet: Sheet, row: Row) -> Row | None:
    return sheet.rows.get(row.key)


def _unwritten(sheet: Sheet, letter: Any) -> Any:
    return letter


def _dropped(run: Run, seen: Row) -> Steps[None]:
    """A row in doubt is forgotten where nobody wants it any more."""

    def drop(job: Job, rows: Sequence[Row]) -> Any:
        def work(desk: Any) -> tuple[Writes, tuple[bool, ...]]:
            sheet = Sheet(job, desk)
            row = sheet.rows[rows[0].key]
            unwanted = sheet.unwanted_because(night(desk.snapshot, job.on), row) is not None
            if unwanted:
                sheet.end(row, RowStatus.REFUSED, "unwanted")
            return sheet.writes(), (unwanted,)

        return work

    if seen.status is RowStatus.PENDING:
        [unwanted] = yield from run.each([seen], drop, "enrol")
        if unwanted is True:
            return
    yield from _SETTLE_ROW(run, seen)


_SETTLE_ROW = settling._settle_row
_CLAIM = Sheet.claim


def _unreserved(sheet: Sheet, action: Enrol) -> Row:
    return _CLAIM(sheet, evolve(action, credits=0))


def _any_letter(sheet: Sheet, seen: Any) -> Any:
    letter = sheet.my_letter(seen)
    return letter and sheet.take(letter)


def _unjournalled(sheet: Sheet, row: Row, was: object, because: str) -> Row:
    sheet.rows[row.key] = row
    sheet._changed[row.key] = None
    return row


def _nothing(*_: object) -> tuple[()]:
    return ()


def _unenforced() -> Setting:
    return Setting(enforced=False)


SABOTAGES: tuple[Sabotage, ...] = (
    Sabotage(
        off="the row is written before the LMS is asked",
        expected=("I3", "I8"),
        budget=Budget(runs=1, crash=1, people=1),
        switch=_patched((nights, "enrol", _ask_first)),
    ),
    Sabotage(
        off="the key follows from what is enrolled",
        expected=("I1", "I3"),
        budget=Budget(runs=1, crash=1),
        switch=_patched((effects, "_order", _new_key)),
    ),
    Sabotage(
        off="letters are kept in the store",
        expected=("L4", "I6"),
        budget=Budget(runs=1),
        switch=_patched((Sheet, "write_letter", _unwritten)),
    ),
    Sabotage(
        off="the fence is asked for",
        expected=("I9",),
        budget=Budget(runs=2, pause=1, switch=1),
        setting=_unenforced,
        switch=_patched((Sheet, "mine", _whoever)),
    ),
    Sabotage(
        off="what is claimed is decided again on the facts of now",
        expected=("I8",),
        budget=Budget(runs=1, people=1),
        switch=_patched((moves, "changed_facts", _nothing)),
    ),
    Sabotage(
        off="a claim reserves its credits, and only free ones",
        expected=("I2", "I8"),
        budget=Budget(runs=1, people=1),
        setting=lambda: Setting(register=register(2, credits=1), enforced=False),
        switch=_patched((Sheet, "in_the_way", _nothing)),
    ),
    Sabotage(
        off="a row in doubt that nobody wants is settled, and not dropped",
        expected=("I3",),
        budget=Budget(runs=1, crash=1, people=1),
        switch=_patched((settling, "_settle_row", _dropped)),
    ),
    Sabotage(
        off="a booking confirmed after an opt-out is cancelled",
        expected=("L3",),
        budget=Budget(runs=1, people=1),
        switch=_patched((Sheet, "unwanted_because", lambda *_: None)),
    ),
    Sabotage(
        off="a letter is begun only while its row is booked",
        expected=("I7",),
        budget=Budget(runs=2, crash=1, pause=1, switch=1, people=1),
        switch=_patched((mailing, "_taken", _any_letter)),
        seeds=range(1_250, 20_000),
    ),
    Sabotage(
        off="every move has its entry in the journal",
        expected=("I11",),
        budget=Budget(runs=1),
        setting=_unenforced,
        switch=_patched((Sheet, "_write", _unjournalled)),
    ),
    Sabotage(
        off="the LMS keeps keys as long as it says",
        expected=("I1",),
        budget=Budget(runs=1, crash=1),
        setting=lambda: Setting(lms=evolve(STRONG, keys_kept=timedelta(minutes=5)), declared=STRONG),
    ),
    Sabotage(
        off="a refusal of the LMS is final, as it says",
        expected=("I1", "I3"),
        budget=Budget(runs=2, late=1, refuse=1, pause=1),
        setting=lambda: Setting(lms=evolve(STRONG, refusals_final=False), declared=STRONG),
    ),
    Sabotage(
        off="an LMS that forgets cancelled keys says so",
        expected=("I3", "I1"),
        budget=Budget(runs=2, late=1, pause=1, people=1),
        setting=lambda: Setting(lms=LATE, declared=STRONG),
        seeds=range(420, 20_000),
    ),
    Sabotage(
        off="the LMS leaves alone what was started, as it says",
        expected=("I4",),
        budget=Budget(runs=2, people=2),
        setting=lambda: Setting(lms=evolve(STRONG, cancels_unstarted=False), declared=STRONG),
    ),
    Sabotage(
        off="with an LMS that can only look up, no run pauses for longer than its lease",
        expected=("I1",),
        budget=Budget(runs=2, switch=1, pause=1),
        setting=lambda: Setting(
            lms=evolve(FIND, latest_arrival=timedelta(minutes=5)), accept=frozenset({Weakness.ONE_RUNNER})
        ),
    ),
    Sabotage(
        off="with an LMS that knows neither keys nor look-up, what is in doubt is held",
        expected=("I1", "I3"),
        budget=Budget(runs=1, crash=1),
        setting=lambda: Setting(lms=NOTHING, accept=frozenset({Weakness.AT_LEAST_ONCE})),
    ),
)


def line(sabotage: Sabotage, found: Found) -> str:
    """What the page about safeguards says of one."""
    chosen = "; ".join(found.trace) or "nothing goes wrong at all"
    return f"| {sabotage.off} | {found.seen} | {chosen} |"

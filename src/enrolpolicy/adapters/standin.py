"""A stand-in for an eLearning LMS, over one SQLite file: for demonstrations, and for hosts' own tests.

It does all that can be wished for: keys are kept for ever, refusals are final, and cancelling looks and cancels in one
transaction. Each call is a transaction of its own, so several processes may use one file. Until it is told of courses,
people or credits it takes any; from then on it knows those.

`start`, `complete` and the rest of the back doors stand for what people and administrators do at an LMS.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from hmac import compare_digest
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, final
from urllib.parse import parse_qs, urlencode, urlsplit

from attrs import frozen

from enrolpolicy.adapters.clock import Clock, now
from enrolpolicy.adapters.standin_file import BUSY_SECONDS, StandinFile, Work
from enrolpolicy.adapters.standin_rules import (
    booked,
    cancelled,
    charged,
    enrolled,
    instant,
    knows_course,
    number_of,
    open_booking,
    progress_of,
    ref_of,
    signature,
)
from enrolpolicy.errors import EnrolPolicyError
from enrolpolicy.ports import (
    FOR_EVER,
    Booking,
    Cancelled,
    Charge,
    Done,
    LaunchUrl,
    LmsCapabilities,
    Order,
    Progress,
    Receipt,
    Refused,
    Trouble,
    Unknown,
)

T = TypeVar("T")

LAUNCH_LIFETIME = timedelta(minutes=2)


@final
@frozen(kw_only=True)
class StandinBooking:
    """An enrolment as the stand-in has it.

    `key` is the one it was made under (None: by hand), `adopted_by` those that asked while it was open already.
    """

    ref: str
    key: str | None
    adopted_by: tuple[str, ...]
    account: str
    person: str
    course: str
    progress: Progress
    completed_at: datetime | None
    charged: int


@final
class StandinTrouble(EnrolPolicyError):
    """A back door could not be used; `answer` is what the port would have said."""

    def __init__(self, answer: Refused | Unknown) -> None:
        code = answer.reason if isinstance(answer, Refused) else answer.detail
        super().__init__(f"the stand-in LMS cannot do that: `{code}`")
        self.answer = answer


@final
class StandinLms:
    """The stand-in LMS in a file, which is made where it is missing. One object serves the threads of one process.

    Whatever is wrong with the file refuses everything for now, by name: `busy` (after two seconds of waiting),
    `newer-schema` (a later release made it), `other-database`, `not-a-database`, `corrupted`, `read-only`,
    `cannot-open`, `full`, `input-output`.
    """

    def __init__(self, file: str | Path, *, clock: Clock = now) -> None:
        self._file = StandinFile(Path(file))
        self._clock = clock

    def __repr__(self) -> str:
        return f"StandinLms({str(self._file.path)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    # The port

    @property
    def capabilities(self) -> LmsCapabilities:
        """What it can do: all of it."""
        return LmsCapabilities(
            keys_kept=FOR_EVER,
            refusals_final=True,
            finds=True,
            latest_arrival=timedelta(0),
            one_open=True,
            cancels_unstarted=True,
            cancel_frees_key=False,
            sends_invitation=False,
            charges=Charge.ON_ENROL,
            longest_call=timedelta(seconds=BUSY_SECONDS + 1),
        )

    def check(self, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused | Unknown:
        """As `Lms.check`."""

        def work(db: sqlite3.Connection) -> Done[tuple[Trouble, ...]]:
            missing = [course for course in courses if not knows_course(db, course)]
            message = "the stand-in LMS does not offer it; `offer` it, or choose another course"
            return Done(tuple(Trouble(code="unknown-course", about=course, message=message) for course in missing))

        return self._file.transact(work)

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        """As `Lms.enrol`; the person's open enrolment on the course is adopted, whoever made it, at no charge."""
        return self._file.transact(lambda db: enrolled(db, order))

    def find(self, key: str) -> Done[Booking | None] | Refused | Unknown:
        """As `Lms.find`."""

        def work(db: sqlite3.Connection) -> Done[Booking | None]:
            made = "SELECT number, progress, completed_at FROM booking JOIN asked USING (number) WHERE key = ?"
            for number, progress, completed_at in db.execute(made, (key,)):
                at = instant(completed_at)
                return Done(Booking(ref=ref_of(number), progress=Progress(progress), completed_at=at))
            return Done(None)

        return self._file.transact(work)

    def cancel_if_not_started(self, ref: str) -> Done[Cancelled] | Refused | Unknown:
        """As `Lms.cancel_if_not_started`; what was charged is given back."""
        return self._file.transact(lambda db: cancelled(db, ref))

    def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        """As `Lms.launch_url`: a signed address for two minutes, for `open_launch`."""
        if not (return_to.startswith("https://") and return_to.isprintable()):
            return Refused("bad-return-address")
        until = self._clock() + LAUNCH_LIFETIME

        def work(db: sqlite3.Connection) -> Done[LaunchUrl] | Refused:
            progress = progress_of(db, ref)
            if progress in (None, Progress.CANCELLED):
                return Refused("no-open-enrolment")
            expires = f"{until.timestamp():.0f}"
            query = urlencode({"until": expires, "to": return_to, "sign": signature(db, ref, expires, return_to)})
            return Done(LaunchUrl(url=f"https://lms.example/launch/{ref}?{query}", expires_at=until))

        return self._file.transact(work)

    # Back doors: what administrators and people do

    def offer(self, course: str, cost: int = 1) -> None:
        """Have a course, at so many credits; from now on no others are known."""
        self._did("INSERT INTO course VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET cost = excluded.cost", course, cost)

    def admit(self, account: str, person: str) -> None:
        """Know a person; from now on nobody else of the account is known."""
        self._did("INSERT INTO person VALUES (?, ?) ON CONFLICT DO NOTHING", account, person)

    def grant(self, account: str, credits: int) -> None:
        """Give an account credits; from now on they are counted."""
        add = "INSERT INTO account VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET credits = credits + excluded.credits"
        self._did(add, account, credits)

    def refuse_next(self, *reasons: str) -> None:
        """Refuse the next new keys for these reasons, one each."""
        for reason in reasons:
            self._did("INSERT INTO to_refuse (reason) VALUES (?)", reason)

    def bar(self, account: str, person: str, course: str, reason: str) -> None:
        """Refuse a person on a course, for this reason, until they are let in again."""
        self._did("INSERT OR REPLACE INTO barred VALUES (?, ?, ?, ?)", account, person, course, reason)

    def let_in(self, account: str, person: str, course: str) -> None:
        """No longer refuse a person on a course."""
        self._did("DELETE FROM barred WHERE (account, person, course) = (?, ?, ?)", account, person, course)

    def book_by_hand(self, account: str, person: str, course: str) -> str:
        """An administrator's own enrolment, under no key and at no charge; the answer is its reference."""

        def work(db: sqlite3.Connection) -> Done[str] | Refused:
            if open_booking(db, account, person, course) is not None:
                return Refused("enrolled-already")
            return Done(ref_of(booked(db, account, person, course, 0)))

        return self._back_door(work)

    def start(self, key: str) -> None:
        """The person asked for under this key starts the course."""
        self._set_progress(key, Progress.IN_PROGRESS, None)

    def complete(self, key: str, at: datetime) -> None:
        """The person completes it, at an instant."""
        self._set_progress(key, Progress.COMPLETED, at)

    def open_launch(self, url: str) -> str:
        """The person clicks a launch address and starts; the answer is where they are sent afterwards."""
        parts = urlsplit(url)
        ref, query = parts.path.rpartition("/")[2], parse_qs(parts.query)
        until, to, sign = (query.get(name, [""])[0] for name in ("until", "to", "sign"))

        def work(db: sqlite3.Connection) -> Done[str] | Refused:
            fresh = until.isascii() and until.isdigit() and self._clock().timestamp() < int(until)
            if not fresh or not compare_digest(sign, signature(db, ref, until, to)):
                return Refused("launch-address-over")
            start = "UPDATE booking SET progress = 'in-progress' WHERE number = ? AND progress = 'not-started'"
            db.execute(start, (number_of(ref),))
            return Done(to)

        return self._back_door(work)

    def bookings(self) -> tuple[StandinBooking, ...]:
        """All enrolments there are or were, in the order they were made."""

        def work(db: sqlite3.Connection) -> Done[tuple[StandinBooking, ...]]:
            asked = db.execute(
                "SELECT number, adopted, key FROM asked WHERE number IS NOT NULL ORDER BY key"
            ).fetchall()
            made_by = {number: key for number, adopted, key in asked if not adopted}
            adopted_by: dict[int, list[str]] = {}
            for number, adopted, key in asked:
                if adopted:
                    adopted_by.setdefault(number, []).append(key)
            return Done(
                tuple(
                    StandinBooking(
                        ref=ref_of(number),
                        key=made_by.get(number),
                        adopted_by=tuple(adopted_by.get(number, ())),
                        account=account,
                        person=person,
                        course=course,
                        progress=Progress(progress),
                        completed_at=instant(completed_at),
                        charged=charged,
                    )
                    for number, account, person, course, progress, completed_at, charged in db.execute(
                        "SELECT * FROM booking ORDER BY number"
                    )
                )
            )

        return self._back_door(work)

    def charged(self, account: str) -> int:
        """How many credits the account's enrolments cost, those given back left out."""
        return self._back_door(lambda db: Done(charged(db, account)))

    def _set_progress(self, key: str, progress: Progress, at: datetime | None) -> None:
        def work(db: sqlite3.Connection) -> Done[None] | Refused:
            change = (
                "UPDATE booking SET progress = ?, completed_at = ? "
                "WHERE number = (SELECT number FROM asked WHERE key = ?) AND progress IN ('not-started', 'in-progress')"
            )
            moved = db.execute(change, (progress.value, at.isoformat() if at else None, key)).rowcount
            return Done(None) if moved else Refused("no-open-enrolment")

        self._back_door(work)

    def _did(self, sql: str, *values: str | int) -> None:
        self._back_door(lambda db: Done(db.execute(sql, values).rowcount))

    def _back_door(self, work: Work[T]) -> T:
        answer = self._file.transact(work)
        if isinstance(answer, Done):
            return answer.value
        raise StandinTrouble(answer)

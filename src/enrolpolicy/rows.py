"""What a store keeps beside the register: a row for each enrolment, its journal, and the letters that go with it.

A row is an enrolment of the policy with what carrying it out needs: a fence, a lease, the LMS's reference. Two of its
statuses are the runner's own. `CANCELLING` is a booking whose cancellation has been asked of the LMS; `HELD` is one in
doubt that only a person can settle.

    (absent) → PENDING → BOOKED → IN_PROGRESS → COMPLETED
               PENDING → REFUSED      BOOKED → CANCELLING → CANCELLED
               PENDING → HELD
"""

from datetime import date, datetime
from enum import Enum
from typing import Annotated, final

from attrs import frozen

from enrolpolicy.constraints import Amount, Between, Id, checked
from enrolpolicy.errors import EnrolPolicyError
from enrolpolicy.model import Enrolment, EnrolmentStatus, Origin

Count = Annotated[int, Between(0, 10**9)]


@final
class RowStatus(Enum):
    """Where a row stands."""

    PENDING = "pending"
    HELD = "held"
    BOOKED = "booked"
    CANCELLING = "cancelling"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


_P, _H, _B, _C = RowStatus.PENDING, RowStatus.HELD, RowStatus.BOOKED, RowStatus.CANCELLING
_I, _DONE, _X, _R = RowStatus.IN_PROGRESS, RowStatus.COMPLETED, RowStatus.CANCELLED, RowStatus.REFUSED

ARROWS: dict[tuple[RowStatus | None, RowStatus], str] = {
    (None, _P): "claimed: decided again on the facts of now, a credit reserved",
    (_P, _P): "taken over from a run that did not come back",
    (_P, _B): "the LMS confirmed it",
    (_P, _R): "the LMS refused it",
    (_P, _H): "in doubt, and only a person can settle it",
    (_H, _B): "a person found it at the LMS",
    (_H, _R): "a person found that it is not there",
    (_B, _C): "its cancellation is being asked of the LMS",
    (_C, _C): "taken over from a run that did not come back",
    (_C, _X): "the LMS cancelled it",
    (_C, _B): "the LMS would not cancel it",
    (_C, _I): "not cancelled: it had been started",
    (_C, _DONE): "not cancelled: it had been completed",
    (_B, _I): "the person started",
    (_B, _DONE): "the person completed it",
    (_I, _DONE): "the person completed it",
    (_X, _B): "a late request made it again at the LMS",
    (_R, _B): "a late request made it after all at the LMS",
}
"""Every move of a row, and what it means. What is absent is refused."""

OPEN_ROWS = frozenset({_P, _H, _B, _C, _I})
"""The statuses of which a person has at most one on a course."""
RESERVING_ROWS = frozenset({_P, _H, _B, _C})
"""The statuses that reserve their credits."""

_AS_ENROLMENT = {_H: EnrolmentStatus.PENDING, _C: EnrolmentStatus.BOOKED}


@final
@frozen(kw_only=True, field_transformer=checked)
class Row:
    """One enrolment as a store keeps it.

    `key` is its identity (`enrolment_key`), or its id where it was made by hand. `fence` counts who has worked on it:
    whoever writes must name the one they were given. `lease_until` says until when others leave it alone, `sent_at`
    and `asked_at` when the LMS was first and last asked, all by the store's clock. `ref` is the LMS's own name for it,
    `credits` what it costs. While it is being cancelled, `ended_because` says why. `ended_at` is kept until it is
    certain that no late request brings the row back (`may_come_back`).
    """

    key: Id
    account: Id
    person: Id
    course: Id
    cycle: str | None = None
    attempt: Count = 0
    origin: Origin = Origin.AUTO
    status: RowStatus
    because: str | None = None
    credits: Amount = 0
    fence: Count = 0
    lease_until: datetime | None = None
    sent_at: datetime | None = None
    asked_at: datetime | None = None
    ref: str | None = None
    enrolled_at: datetime
    invited_at: datetime | None = None
    ended_on: date | None = None
    ended_at: datetime | None = None
    ended_because: str | None = None

    @property
    def open(self) -> bool:
        """Whether it stands in the way of another one of the same person on the same course."""
        return self.status in OPEN_ROWS


@final
class NoSuchMove(EnrolPolicyError):
    """A row was about to move along no arrow (`ARROWS`): a store or a runner that is not as it should be."""

    def __init__(self, key: str, was: RowStatus, now: RowStatus) -> None:
        super().__init__(
            f"the row `{key[:80]}` does not go from `{was.value}` to `{now.value}`, and was left as it is; "
            "hold the store against its exam (`enrolpolicy.testing`)"
        )
        self.key = key
        self.was = was
        self.now = now

    def __reduce__(self) -> "tuple[type[NoSuchMove], tuple[str, RowStatus, RowStatus]]":
        return NoSuchMove, (self.key, self.was, self.now)


def follow_arrow(row: Row, status: RowStatus) -> None:
    """See that a row may move to a status; raises `NoSuchMove`."""
    if (row.status, status) not in ARROWS:
        raise NoSuchMove(row.key, row.status, status)


def enrolment_of(row: Row) -> Enrolment:
    """A row as the policy sees it: what is in doubt is pending, what is being cancelled is still booked."""
    ended = row.status not in OPEN_ROWS
    return Enrolment(
        id=row.key,
        person=row.person,
        course=row.course,
        cycle=row.cycle,
        origin=row.origin,
        status=_AS_ENROLMENT.get(row.status) or EnrolmentStatus(row.status.value),
        because=row.because,
        enrolled_at=row.enrolled_at,
        invited_at=row.invited_at,
        ended_on=row.ended_on,
        ended_because=row.ended_because if ended else None,
    )


def row_of(enrolment: Enrolment, *, account: str, credits: int) -> Row:
    """An enrolment of a snapshot as a row of a store that takes it over.

    The attempt of an ended one is not known, and not needed: it is counted from the rows.
    """
    return Row(
        key=enrolment.id,
        account=account,
        person=enrolment.person,
        course=enrolment.course,
        cycle=enrolment.cycle,
        origin=enrolment.origin,
        status=RowStatus(enrolment.status.value),
        because=enrolment.because,
        credits=credits,
        enrolled_at=enrolment.enrolled_at,
        invited_at=enrolment.invited_at,
        ended_on=enrolment.ended_on,
        ended_because=enrolment.ended_because,
    )


def unfinished(row: Row, at: datetime) -> bool:
    """Whether an earlier run has left a row in the middle, and nobody has it now."""
    return row.status in (_P, _C) and (row.lease_until is None or row.lease_until <= at)


def may_come_back(row: Row) -> bool:
    """Whether a row was cancelled or refused, and nobody has looked since no late request can bring it back."""
    return row.status in (_X, _R) and row.ended_at is not None


@final
@frozen(kw_only=True)
class Entry:
    """One move of a row, as the journal has it: who, when, why, under which settings and policy version.

    `actor` is a user's id, or `enrolpolicy` for the nightly run; `at` is by the store's clock, `on` the night.
    `settings` is the account and the course as JSON, as they were when it was decided.
    """

    account: str
    key: str
    person: str
    course: str
    was: RowStatus | None
    now: RowStatus
    because: str
    actor: str
    on: date
    at: datetime
    policy_version: str
    settings: str


@final
class LetterStatus(Enum):
    """Where a letter stands."""

    PENDING = "pending"
    SENT = "sent"
    DROPPED = "dropped"
    """Not wanted any more, and never sent."""
    DEAD = "dead"
    """Given up: refused for good, or tried too often."""


@final
@frozen(kw_only=True)
class Letter:
    """One invitation, rendered once: sent again, it is the same bytes under the same `message_id`.

    `key` is the row's it invites to; `tries` counts how often it was begun; `fence`, `lease_until` as for a row.
    `due_at` is when it may next be tried, `detail` why it stands where it does.
    """

    message_id: str
    account: str
    key: str
    person: str
    recipient: str
    content: bytes
    status: LetterStatus = LetterStatus.PENDING
    tries: int = 0
    fence: int = 0
    lease_until: datetime | None = None
    due_at: datetime | None = None
    detail: str | None = None


def due(letter: Letter, at: datetime) -> bool:
    """Whether a letter is to be sent now, and nobody has it."""
    waits = any(until is not None and until > at for until in (letter.lease_until, letter.due_at))
    return letter.status is LetterStatus.PENDING and not waits

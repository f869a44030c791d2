"""What an LMS is asked, and what it can do: clauses L1 to L10."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol, final

from attrs import frozen

from enrolpolicy.constraints import Id, checked
from enrolpolicy.ports.answers import Done, Refused, Unknown

FOR_EVER = timedelta.max


@final
class Charge(Enum):
    """When an LMS charges for an enrolment."""

    ON_ENROL = "on-enrol"
    ON_START = "on-start"


@final
@frozen(kw_only=True)
class LmsCapabilities:
    """What an LMS can do; `enrolpolicy.guarantees` works out what may be promised with it.

    `keys_kept`: how long a repeated key is recognised, `FOR_EVER`, or None where keys mean nothing (L1).
    `refusals_final`: a refused key stays refused (L3). `finds`: enrolments can be looked up by key (L4).
    `latest_arrival`: how long after it was given up a request can still take effect, None where nobody knows (L4).
    `one_open`: enrolling twice on one course leaves one open enrolment, keys or no keys.
    `cancels_unstarted`: cancelling refuses what was started, in one step (L5). `cancel_frees_key`: a cancelled key is
    forgotten (L6). `sends_invitation`: the LMS writes to the person itself. `charges`: when it does.
    `longest_call`: no call lasts longer (L7).
    """

    keys_kept: timedelta | None
    refusals_final: bool
    finds: bool
    latest_arrival: timedelta | None
    one_open: bool
    cancels_unstarted: bool
    cancel_frees_key: bool
    sends_invitation: bool
    charges: Charge
    longest_call: timedelta


@final
@frozen(kw_only=True)
class Order:
    """An enrolment asked of an LMS: whom and what for, by the register's ids; `key` is its identity."""

    key: str
    account: str
    person: str
    course: str
    cycle: str
    attempt: int


@final
@frozen(kw_only=True, field_transformer=checked)
class Receipt:
    """An LMS's yes: its name for the enrolment; `foreign` where somebody else had made it, and nothing was charged."""

    ref: Id
    foreign: bool = False


@final
class Progress(Enum):
    """How far an enrolment has come at the LMS."""

    NOT_STARTED = "not-started"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@final
@frozen(kw_only=True, field_transformer=checked)
class Booking:
    """An enrolment as the LMS has it; `completed_at` where it was completed and the LMS says when."""

    ref: Id
    progress: Progress
    completed_at: datetime | None = None


@final
class Cancelled(Enum):
    """What became of a cancellation."""

    CANCELLED = "cancelled"
    ALREADY = "already-cancelled"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    NOT_FOUND = "not-found"


@final
@frozen(kw_only=True)
class LaunchUrl:
    """Where a person starts a course, and until when; a secret, so it is neither stored, mailed nor logged."""

    url: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"LaunchUrl(url=…, expires_at={self.expires_at!r})"


@final
@frozen(kw_only=True)
class Trouble:
    """Something that would keep an LMS from being used: a code, what it is about, what to do."""

    code: str
    about: str
    message: str


class Lms(Protocol):
    """A learning management system.

    L1 at most one enrolment for each key, for ever or for the time declared; the same key with other arguments is
    refused. L2 a repeated key gets the same answer, whatever became of the enrolment. L3 a final refusal is final for
    its key. L4 `find` tells what is there; that nothing is there counts once `latest_arrival` is over. L5
    `cancel_if_not_started` leaves alone what was started. L6 a cancelled key stays known, unless declared otherwise.
    L7 capabilities are declared, and true. L8 a new attempt never reports an old completion: where the LMS cannot
    forget it, `enrol` is refused with `stale-completion`. L9 a launch address is made when it is asked for. L10
    `check` has no effect, and says what is missing before anything is done.
    """

    @property
    def capabilities(self) -> LmsCapabilities:
        """What this LMS can do."""
        ...

    def check(self, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused | Unknown:
        """What would keep these courses from being booked: rights, set-up, courses it does not have."""
        ...

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        """Enrol a person on a course under a key."""
        ...

    def find(self, key: str) -> Done[Booking | None] | Refused | Unknown:
        """The enrolment made under a key; None: there is none."""
        ...

    def cancel_if_not_started(self, ref: str) -> Done[Cancelled] | Refused | Unknown:
        """Cancel an enrolment that nobody has started."""
        ...

    def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        """Where the person starts, made now, for a click; `return_to` is where they are sent afterwards."""
        ...

"""An LMS in memory, as strong or as weak as it is told to be: the reference model that others are held against."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from threading import RLock
from typing import final
from urllib.parse import quote

from attrs import mutable

from enrolpolicy.adapters.clock import Clock, now
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

STRONG = LmsCapabilities(
    keys_kept=FOR_EVER,
    refusals_final=True,
    finds=True,
    latest_arrival=None,
    one_open=False,
    cancels_unstarted=True,
    cancel_frees_key=False,
    sends_invitation=False,
    charges=Charge.ON_ENROL,
    longest_call=timedelta(seconds=1),
)
"""All that can be wished for of an LMS."""


_LOCKED_OUT = Refused("wrong-credentials", final=False, everything=True)


@final
@mutable(kw_only=True)
class _Made:
    """An enrolment at the LMS."""

    order: Order
    ref: str
    made_at: datetime
    progress: Progress = Progress.NOT_STARTED
    completed_at: datetime | None = None
    forgotten: bool = False


@final
class MemoryLms:
    """An LMS for one process, as strong or as weak as its capabilities say.

    `refusals` names what it refuses, by person and course, `missing_courses` what it does not have; `locked_out`: our
    credentials are wrong. What people do is told it by `start` and `complete`. `charged` counts credits, `invited` the
    letters that it has sent by itself.
    """

    def __init__(
        self,
        capabilities: LmsCapabilities = STRONG,
        *,
        refusals: Mapping[tuple[str, str], str] | None = None,
        clock: Clock = now,
    ) -> None:
        self.capabilities = capabilities
        self.refusals: dict[tuple[str, str], str] = dict(refusals or {})
        self.missing_courses: set[str] = set()
        self.locked_out: bool = False
        self.charged: int = 0
        self.invited: int = 0
        self._clock = clock
        self._one_at_a_time = RLock()
        self._made: list[_Made] = []
        self._of_key: defaultdict[str, list[_Made]] = defaultdict(list)
        self._of_pair: defaultdict[tuple[str, str], list[_Made]] = defaultdict(list)
        self._of_ref: dict[str, _Made] = {}
        self._refused: dict[str, str] = {}

    # The port

    def check(self, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused | Unknown:
        """As `Lms.check`."""
        if self.locked_out:
            return _LOCKED_OUT
        message = "it has no such course; put it on, or turn off auto-enrolment for it"
        missing = [course for course in courses if course in self.missing_courses]
        return Done(tuple([Trouble(code="unknown-course", about=course, message=message) for course in missing]))

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        """As `Lms.enrol`."""
        with self._one_at_a_time:
            return _LOCKED_OUT if self.locked_out else self._enrol(order)

    def _enrol(self, order: Order) -> Done[Receipt] | Refused:
        known = self._known(order.key)
        if known is not None:
            return Done(Receipt(ref=known.ref)) if known.order == order else Refused("key-conflict")
        missing = "unknown-course" if order.course in self.missing_courses else None
        reason = self.refusals.get((order.person, order.course), missing)
        if self.capabilities.refusals_final:
            reason = self._refused.get(order.key, reason)
        if reason is not None:
            self._refused[order.key] = reason
            return Refused(reason, final=self.capabilities.refusals_final)
        beside = self._open(order.person, order.course) if self.capabilities.one_open else None
        if beside is not None:
            return Done(Receipt(ref=beside.ref, foreign=beside.order.key != order.key))
        made = _Made(order=order, ref=f"booking-{len(self._made) + 1}", made_at=self._clock())
        self._made.append(made)
        self._of_ref[made.ref] = made
        self._of_key[order.key].append(made)
        self._of_pair[order.person, order.course].append(made)
        self.charged += self.capabilities.charges is Charge.ON_ENROL
        self.invited += self.capabilities.sends_invitation
        return Done(Receipt(ref=made.ref))

    def find(self, key: str) -> Done[Booking | None] | Refused | Unknown:
        """As `Lms.find`."""
        if self.locked_out:
            return _LOCKED_OUT
        if not self.capabilities.finds:
            return Refused("cannot-find")
        made = self._latest(key)
        if made is None:
            return Done(None)
        return Done(Booking(ref=made.ref, progress=made.progress, completed_at=made.completed_at))

    def cancel_if_not_started(self, ref: str) -> Done[Cancelled] | Refused | Unknown:
        """As `Lms.cancel_if_not_started`; one that cannot tell cancels what was started, too."""
        with self._one_at_a_time:
            return _LOCKED_OUT if self.locked_out else self._cancel(ref)

    def _cancel(self, ref: str) -> Done[Cancelled] | Refused:
        made = self._of_ref.get(ref)
        if made is None or made.forgotten:
            return Done(Cancelled.NOT_FOUND)
        if made.progress is Progress.CANCELLED:
            return Done(Cancelled.ALREADY)
        if self.capabilities.cancels_unstarted and made.progress is Progress.IN_PROGRESS:
            return Done(Cancelled.IN_PROGRESS)
        if self.capabilities.cancels_unstarted and made.progress is Progress.COMPLETED:
            return Done(Cancelled.COMPLETED)
        made.progress = Progress.CANCELLED
        made.forgotten = self.capabilities.cancel_frees_key
        return Done(Cancelled.CANCELLED)

    def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        """As `Lms.launch_url`."""
        made = self._of_ref.get(ref)
        if made is None or made.progress is Progress.CANCELLED:
            return Refused("not-found")
        at = self._clock() + timedelta(minutes=2)
        return Done(LaunchUrl(url=f"https://lms.example/launch/{ref}?to={quote(return_to, safe='')}", expires_at=at))

    # What people do, and what there is

    def start(self, key: str) -> None:
        """The person starts the course."""
        self._set(key, Progress.IN_PROGRESS)

    def complete(self, key: str) -> None:
        """The person completes the course."""
        self._set(key, Progress.COMPLETED)

    def bookings(self) -> tuple[tuple[Order, Progress], ...]:
        """Every enrolment ever made, in order, and how far it has come."""
        return tuple((row.order, row.progress) for row in self._made)

    def _set(self, key: str, progress: Progress) -> None:
        for row in self._of_key.get(key, ()):
            if row.progress in (Progress.NOT_STARTED, Progress.IN_PROGRESS):
                if row.progress is Progress.NOT_STARTED:
                    self.charged += self.capabilities.charges is Charge.ON_START
                row.progress = progress
                row.completed_at = self._clock() if progress is Progress.COMPLETED else None

    def _known(self, key: str) -> _Made | None:
        kept = self.capabilities.keys_kept
        if kept is None:
            return None
        made = self._latest(key)
        return made if made is not None and self._clock() - made.made_at < kept else None

    def _latest(self, key: str) -> _Made | None:
        return next((row for row in reversed(self._of_key.get(key, [])) if not row.forgotten), None)

    def _open(self, person: str, course: str) -> _Made | None:
        started = (Progress.NOT_STARTED, Progress.IN_PROGRESS)
        return next((row for row in self._of_pair.get((person, course), ()) if row.progress in started), None)

"""What the enrolments of a person on a course mean for the renewal that is due (rule 3, the gates about bookings)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol, final

from attrs import frozen

from enrolpolicy.dates import local_date
from enrolpolicy.lifecycle import ENDED
from enrolpolicy.model import EnrolmentStatus

OPEN = frozenset(EnrolmentStatus) - ENDED
"""Asked of the LMS, booked, or under way."""
REQUESTED = "requested"
"""`Enrolment.ended_because` where a person cancelled."""

LONGEST_PAUSE_DAYS = 32


class Booked(Protocol):
    """What is looked at of an enrolment."""

    @property
    def cycle(self) -> str | None: ...
    @property
    def status(self) -> EnrolmentStatus: ...
    @property
    def enrolled_at(self) -> datetime: ...
    @property
    def ended_on(self) -> date | None: ...
    @property
    def ended_because(self) -> str | None: ...


class Taken(Protocol):
    """What is looked at of a training record."""

    @property
    def completed_on(self) -> date: ...


@final
@frozen
class Bookings:
    """What the enrolments of a pair come to, for its present cycle.

    `enrolled`: one is open, of any cycle. `attempt` counts those of this cycle that have ended, `refusals` those the
    LMS refused; `retry_on` is the first date after a refusal's pause.
    """

    enrolled: bool = False
    awaiting_record: bool = False
    cancelled_on_request: bool = False
    attempt: int = 0
    refusals: int = 0
    retry_on: date | None = None


def bookings(
    enrolments: Sequence[Booked],
    records: Sequence[Taken],
    cycle: str,
    asked_on: date | None,
    timezone: str,
) -> Bookings:
    """What the enrolments of a pair come to; `asked_on` is only given where the cycle is a first booking."""
    of_cycle = [row for row in enrolments if row.cycle == cycle]
    refused_on = [_ended_on(row, timezone) for row in of_cycle if row.status is EnrolmentStatus.REFUSED]
    return Bookings(
        enrolled=any(row.status in OPEN for row in enrolments),
        awaiting_record=any(_awaits_record(row, records, timezone) for row in of_cycle),
        cancelled_on_request=any(_still_cancelled(row, asked_on) for row in of_cycle),
        attempt=sum(row.status in ENDED for row in of_cycle),
        refusals=len(refused_on),
        retry_on=retry_on(max(refused_on), len(refused_on)) if refused_on else None,
    )


def retry_on(refused_on: date, refusals: int) -> date:
    """When an enrolment refused so many times is tried again: 1, 2, 4 … 32 days after the last refusal."""
    pause = min(2 ** min(refusals - 1, 10), LONGEST_PAUSE_DAYS)
    return refused_on + timedelta(min(pause, (date.max - refused_on).days))


def _ended_on(enrolment: Booked, timezone: str) -> date:
    return enrolment.ended_on or local_date(timezone, enrolment.enrolled_at)


def _awaits_record(enrolment: Booked, records: Sequence[Taken], timezone: str) -> bool:
    """Completed, and no record since, voided or not, that could be the one."""
    if enrolment.status is not EnrolmentStatus.COMPLETED:
        return False
    enrolled_on = local_date(timezone, enrolment.enrolled_at)
    return not any(record.completed_on >= enrolled_on for record in records)


def _still_cancelled(enrolment: Booked, asked_on: date | None) -> bool:
    """Cancelled by a person, and not asked for anew since."""
    if enrolment.status is not EnrolmentStatus.CANCELLED or enrolment.ended_because != REQUESTED:
        return False
    return asked_on is None or enrolment.ended_on is None or enrolment.ended_on >= asked_on

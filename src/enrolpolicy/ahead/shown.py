"""How a course and a booking are shown: its method, and where somebody stands with it, why, and since when."""

from datetime import date
from enum import Enum
from typing import final

from enrolpolicy.bookings import OPEN, REQUESTED
from enrolpolicy.dates import add_days, local_date
from enrolpolicy.explanation import Explanation
from enrolpolicy.facts import Status
from enrolpolicy.model import (
    Account,
    Course,
    Delivery,
    Enrolment,
    EnrolmentStatus,
    Origin,
)
from enrolpolicy.policy import WITHDRAWALS

ENROL_SYMBOL = "⟳"
"""Shown behind the delivery of a course that is booked automatically."""

DELIVERIES = {
    Delivery.IHASCO: "iHasco",
    Delivery.SCORM: "SCORM",
    Delivery.CLASSROOM: "Classroom",
    Delivery.OTHER: "Other",
}


def method(course: Course) -> str:
    """A course's Method: how it is taken, with the enrol symbol where its auto-enrol box is ticked."""
    way = DELIVERIES[course.delivery]
    return f"{way} {ENROL_SYMBOL}" if course.auto_enrol else way


@final
class BookingStatus(Enum):
    """Where somebody stands with a course."""

    NOT_BOOKED = "not-booked"
    BOOKED = "booked"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


_OPEN = {
    EnrolmentStatus.PENDING: (BookingStatus.BOOKED, "asked of the LMS, which has not confirmed it yet"),
    EnrolmentStatus.BOOKED: (BookingStatus.BOOKED, "booked, and not started"),
    EnrolmentStatus.IN_PROGRESS: (BookingStatus.IN_PROGRESS, "under way"),
}

Shown = tuple[BookingStatus, str, date | None, Enrolment | None]


def booking(account: Account, told: Explanation, enrolments: list[Enrolment]) -> Shown:
    """The booking to show: the latest open one, else the last of this renewal that ended, else none."""
    latest = sorted(enrolments, key=_made)
    for row in reversed([row for row in latest if row.status in OPEN]):
        status, words = _OPEN[row.status]
        return status, f"{words}; {made_because(row)}", made_on(account, row), row
    of_cycle = [row for row in latest if row.cycle == told.cycle]
    if "completion-recorded" in told.shut:
        row = next(row for row in reversed(of_cycle) if row.status is EnrolmentStatus.COMPLETED)
        return BookingStatus.COMPLETED, _sentence(told, "completion-recorded"), row.ended_on, row
    if told.status is Status.CURRENT:
        return BookingStatus.COMPLETED, _valid_until(told), _completed_on(told), None
    if of_cycle and of_cycle[-1].status is EnrolmentStatus.CANCELLED:
        row = of_cycle[-1]
        return BookingStatus.CANCELLED, _cancelled_because(row), row.ended_on, row
    return BookingStatus.NOT_BOOKED, told.sentence, _due_since(told), None


def _made(row: Enrolment) -> tuple[float, str]:
    return row.enrolled_at.timestamp(), row.id


def made_on(account: Account, row: Enrolment) -> date:
    """The local date on which an enrolment was made."""
    return local_date(account.timezone, row.enrolled_at)


def made_because(row: Enrolment) -> str:
    """Who made an enrolment, and why."""
    if row.origin is Origin.MANUAL:
        return "made by hand"
    return f"enrolled automatically, because {_REASONS.get(row.because or '', 'its renewal was due')}"


_REASONS = {
    "expiring": "the training was about to expire",
    "expired": "the training had expired a short while before",
    "missing": "the training was never recorded",
}

_CAUSES = {row.id: row.yes for row in WITHDRAWALS} | {REQUESTED: "somebody asked for it"}


def _cancelled_because(row: Enrolment) -> str:
    return f"cancelled: {_CAUSES.get(row.ended_because or '', 'nobody noted why')}"


def _sentence(told: Explanation, id: str) -> str:
    return next(answer.sentence for answer in told.rows if answer.id == id)


def _valid_until(told: Explanation) -> str:
    if told.expires_on is None:
        return "completed, and never expires"
    return f"completed, and valid until {told.expires_on}; its renewal opens on {told.opens_on}"


def _completed_on(told: Explanation) -> date | None:
    return date.fromisoformat(told.cycle)


def _due_since(told: Explanation) -> date | None:
    """Since when a renewal is due, as long as that is known: nobody notes when missing training began to be missing."""
    if told.status is Status.EXPIRED and told.expires_on is not None:
        return add_days(told.expires_on, 1)
    return told.opens_on

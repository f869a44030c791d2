"""What people are assumed to do with the bookings they are given: a forecast's only guess, and it is a value.

Everything else in a forecast is the policy itself. So whoever doubts a figure can see what was assumed, and ask again
with something else.
"""

import hashlib
from datetime import date
from enum import Enum
from typing import final

from attrs import frozen

from enrolpolicy.constraints import Days, Share, checked
from enrolpolicy.dates import add_days
from enrolpolicy.model import Course, TrainingRecord
from enrolpolicy.renewal import Expiring, after


@final
class Completion(Enum):
    """When somebody completes what they are booked on."""

    AFTER_DAYS = "after-days"
    LAST_DAY = "last-day"
    NEVER = "never"


@final
@frozen(kw_only=True, field_transformer=checked)
class Assumptions:
    """What people are assumed to do with their bookings.

    `completed` says when: `after-days` is so many days (`after_days`) after the booking was made; `last-day` is the
    last day on which the training being renewed is valid, and as `after-days` where that is over, or there is none;
    `never` is never. `share` is how many of the bookings are completed at all, 0 to 1; which ones follows from their
    ids, so it is the same ones each time, and a larger share has all those of a smaller one among it.

    Bookings older than the forecast are completed on its first day at the earliest, whoever made them. Whoever is
    archived completes nothing.
    """

    completed: Completion = Completion.AFTER_DAYS
    after_days: Days = 14
    share: Share = 1.0


def completed_on(
    assume: Assumptions, enrolment: str, *, enrolled_on: date, valid_until: date | None, today: date
) -> date | None:
    """The day, `today` or later, on which an enrolment is assumed to be completed; None: never.

    `valid_until` is the last valid day of the training it renews, None where there is none.
    """
    if assume.completed is Completion.NEVER or not _chosen(enrolment, assume.share):
        return None
    if assume.completed is Completion.LAST_DAY and valid_until is not None and valid_until >= max(today, enrolled_on):
        return valid_until
    day = add_days(enrolled_on, assume.after_days)
    return None if day is None else max(day, today)


def _chosen(enrolment: str, share: float) -> bool:
    """Whether an enrolment is among the share that is completed: its id's digest, as a fraction, is below it."""
    return int(hashlib.sha256(enrolment.encode()).hexdigest()[:8], 16) < share * 2**32


def record_of(person: str, course: Course, on: date, renewed: Expiring | None) -> TrainingRecord:
    """The training record that completing a course on a day brings.

    Its expiry follows from the course's validity and anchor. Where the course has none, it is valid for as many days as
    the training it renews was, and for ever where that is not known: where it is the first, or never expired itself.
    """
    expires_on = None if course.validity is not None else _as_long(on, renewed)
    return TrainingRecord(person=person, course=course.id, completed_on=on, expires_on=expires_on)


def _as_long(on: date, renewed: Expiring | None) -> date | None:
    if renewed is None or renewed[1] is None or renewed[1] <= renewed[0]:
        return None
    return add_days(on, (renewed[1] - renewed[0]).days)


def days_lost(course: Course, on: date, renewed: Expiring | None, valid_until: date | None) -> int:
    """The days of validity lost by renewing a training on a day, and not on its last.

    That is how much longer it would have been valid, had it been completed on the last day of the old one, than
    `valid_until`; 0 where it was renewed late, or where the day makes no difference.
    """
    ended = renewed[1] if renewed is not None else None
    if ended is None or ended <= on or valid_until is None:
        return 0
    at_best = _as_long(ended, renewed) if course.validity is None else after(ended, course.validity)
    return 0 if at_best is None else max(0, (at_best - valid_until).days)

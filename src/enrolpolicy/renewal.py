"""How a person's training in a course stands: the record that counts, its expiry, the window before it (rule 2).

The arithmetic lives here, so that the rules need none. All days are civil dates; `expires_on` is the last valid day.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from itertools import groupby
from typing import final

from attrs import frozen

from enrolpolicy.dates import add_days, add_months
from enrolpolicy.facts import Status
from enrolpolicy.model import Account, Anchor, Course, TrainingRecord, Validity

DEFAULT_LEAD_DAYS = 30
FIRST_CYCLE = "first"
"""The cycle of training that was never recorded."""


@final
class LeadSource(Enum):
    """Where the number of days before expiry comes from."""

    DEFAULT = "default"
    ACCOUNT = "account"
    COURSE = "course"


@final
@frozen
class Lead:
    """Days before expiry at which renewal begins, and who said so.

    `ignored`: custom days are stored, and do not count because the account has not switched custom expiry on.
    """

    days: int
    source: LeadSource
    ignored: bool = False


def lead_of(account: Account, course: Course) -> Lead:
    """The lead set for a course: its own days, else the account's, else 30; custom ones only where switched on."""
    custom = ((course.lead_days, LeadSource.COURSE), (account.lead_days, LeadSource.ACCOUNT))
    chosen = [Lead(days, source) for days, source in custom if days is not None]
    if account.custom_expiry and chosen:
        return chosen[0]
    return Lead(DEFAULT_LEAD_DAYS, LeadSource.DEFAULT, ignored=bool(chosen))


@final
@frozen
class Renewal:
    """Where a training stands on a date.

    `completed_on` is the day of the record that counts (None: there is none), `expires_on` its last valid day (None:
    never expires), `opens_on` the first day of its renewal window, `lead_days` the days between the two, after the
    lead was held to half of the validity.
    """

    status: Status
    completed_on: date | None
    expires_on: date | None
    opens_on: date | None
    lead_days: int

    @property
    def cycle(self) -> str:
        """Which renewal this is: the completion being renewed, so that editing an expiry does not make it another."""
        return FIRST_CYCLE if self.completed_on is None else self.completed_on.isoformat()


def renewal(records: Sequence[TrainingRecord], validity: Validity | None, lead: int, on: date) -> Renewal:
    """Where a training stands on a date, from all its records, in any order; `lead` is in days."""
    found = counted(records, validity, on)
    return never_recorded(lead) if found is None else standing(*found, lead, on)


def never_recorded(lead: int) -> Renewal:
    """Where a training stands that no record counts for."""
    return Renewal(Status.MISSING, None, None, None, lead)


def standing(completed_on: date, expires_on: date | None, lead: int, on: date) -> Renewal:
    """Where a training stands on a date, once it is known which completion counts and until when it does.

    The window never opens in the first half of what it renews, so that no lead can renew for ever.
    """
    if expires_on is None:
        return Renewal(Status.CURRENT, completed_on, None, None, lead)
    effective = effective_lead(completed_on, expires_on, lead)
    status = status_on(completed_on, expires_on, lead, on)
    return Renewal(status, completed_on, expires_on, expires_on - timedelta(effective), effective)


def effective_lead(completed_on: date, expires_on: date, lead: int) -> int:
    """The days before expiry at which the window opens: the lead, held to half of what is renewed, never below 0.

    >>> effective_lead(date(2026, 1, 1), date(2026, 2, 1), 30)
    15
    """
    return min(lead, max(0, (expires_on - completed_on).days // 2))


def status_on(completed_on: date, expires_on: date | None, lead: int, on: date) -> Status:
    """The status on a date of what was completed, and is valid, until then."""
    if expires_on is None:
        return Status.CURRENT
    left = (expires_on - on).days
    if left < 0:
        return Status.EXPIRED
    # No window is longer than its lead, so that for most the middle of the validity need not be found.
    if left > lead or left > effective_lead(completed_on, expires_on, lead):
        return Status.CURRENT
    return Status.EXPIRING


Expiring = tuple[date, date | None]
"""A completion, and the last day it is valid (None: for ever)."""


def counted(records: Sequence[TrainingRecord], validity: Validity | None, on: date) -> Expiring | None:
    """Among what was completed by `on`, what lasts longest; among equals the latest completion."""
    return max((pair for pair in expiries(records, validity) if pair[0] <= on), key=_lasting, default=None)


def _lasting(pair: Expiring) -> tuple[bool, date, date]:
    # Never is not a very late date: it must not tie with a real 9999-12-31.
    completed_on, expires_on = pair
    return expires_on is None, expires_on or date.min, completed_on


def expiries(records: Iterable[TrainingRecord], validity: Validity | None) -> list[Expiring]:
    """Every record that is not voided, as its completion and expiry."""
    valid = [record for record in records if not record.voided]
    if validity is None or validity.anchor is Anchor.COMPLETION:
        return [(record.completed_on, own_expiry(record, validity)) for record in valid]
    return _anchored(sorted(valid, key=_completed_on), validity)


def _completed_on(record: TrainingRecord) -> date:
    return record.completed_on


def _anchored(records: Iterable[TrainingRecord], validity: Validity) -> list[Expiring]:
    """The same, in order of completion, where a renewal taken before the old expiry keeps the anniversary."""
    found: list[Expiring] = []
    previous: date | None = None  # the latest expiry among the records of the last earlier day
    for completed_on, group in groupby(records, key=_completed_on):
        today = [(completed_on, _anchored_expiry(record, validity, previous)) for record in group]
        previous = max(today, key=_lasting)[1]
        found += today
    return found


def _anchored_expiry(record: TrainingRecord, validity: Validity, previous: date | None) -> date | None:
    if _is_explicit(record) or previous is None or record.completed_on > previous:
        return own_expiry(record, validity)
    return after(previous, validity)


def _is_explicit(record: TrainingRecord) -> bool:
    return record.expires_on is not None or record.never_expires


def own_expiry(record: TrainingRecord, validity: Validity | None) -> date | None:
    """A record's expiry by itself: as written, else by the course's validity, else never."""
    if record.expires_on is not None:
        return record.expires_on
    if record.never_expires or validity is None:
        return None
    return after(record.completed_on, validity)


def after(anchor: date, validity: Validity) -> date | None:
    """The last valid day of what is valid from `anchor`; None where that lies past the calendar, and so never comes."""
    return _after(anchor, validity.months, validity.days)


# The same few thousand completions come back in every register; month arithmetic costs more than all the rest.
@lru_cache(maxsize=65536)
def _after(anchor: date, months: int | None, days: int | None) -> date | None:
    if months is not None:
        return add_months(anchor, months)
    assert days is not None
    return add_days(anchor, days)

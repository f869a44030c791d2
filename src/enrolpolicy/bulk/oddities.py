"""Which rows of an estate look odd, so that there may be a finding about them (rule 7): too many, never too few."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date

import numpy as np

from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.columns import NONE, Estate, Flags, Ints
from enrolpolicy.findings import ELEARNING
from enrolpolicy.model import Delivery, Level

_ELEARNING = np.array([delivery in ELEARNING for delivery in Delivery])
_SHORTEST_MONTH = 28
_LATEST_SOUND = (date.max.year - 101 - 1970) * 365
"""Completions before then, in days, end within the calendar whatever they are valid for."""


def _settings(estate: Estate, on: Ints) -> Rows:
    accounts = estate.accounts
    given = [accounts.ints(name) != NONE for name in ("lead_days", "missing_since", "credits")]
    return np.flatnonzero(np.any(given, axis=0))


def _courses(estate: Estate, on: Ints) -> Rows:
    accounts, courses = estate.accounts, estate.courses
    account, own = courses.ints("account"), courses.ints("lead_days")
    months, days = courses.ints("validity_months"), courses.ints("validity_days")
    longest = np.maximum(np.maximum(own, accounts.ints("lead_days")[account]), 30)
    short = ((months != NONE) & (longest >= months * _SHORTEST_MONTH)) | ((days != NONE) & (longest >= days))
    bookable = courses.flags("auto_enrol") & ~courses.flags("archived")
    doubtful = short | ~_ELEARNING[courses.choices("delivery")] | ~_required(estate) | ~_expiring(estate)
    return np.flatnonzero((own != NONE) | (bookable & doubtful))


def _required(estate: Estate) -> Flags:
    """The courses that anything asks for as required."""
    found = np.zeros(len(estate.courses), dtype=np.bool_)
    for table in (estate.requirements, estate.assignments):
        found[table.ints("course")[table.choices("level") == list(Level).index(Level.REQUIRED)]] = True
    return found


def _expiring(estate: Estate) -> Flags:
    """The courses of which any record expires."""
    found = np.zeros(len(estate.courses), dtype=np.bool_)
    found[estate.records.ints("course")[expires(estate)]] = True
    return found


def expires(estate: Estate) -> Flags:
    """The records that expire at some time."""
    records, courses = estate.records, estate.courses
    lasting = (courses.ints("validity_months") == NONE) & (courses.ints("validity_days") == NONE)
    found: Flags = (records.ints("expires_on") != NONE) | ~(
        records.flags("never_expires") | lasting[records.ints("course")]
    )
    found &= ~records.flags("voided")
    return found


def _personnel(estate: Estate, on: Ints) -> Rows:
    people = estate.personnel
    emails = list(people.texts("email"))
    odd = ~people.flags("reachable") & np.array([email is not None for email in emails], dtype=np.bool_)
    account, archived = people.ints("account").tolist(), people.flags("archived").tolist()
    shared = [
        (of, email.casefold()) if email and not gone else None
        for of, email, gone in zip(account, emails, archived, strict=True)
    ]
    if len(set(shared)) < len(shared):
        times = Counter(shared)
        odd |= np.array([one is not None and times[one] > 1 for one in shared], dtype=np.bool_)
    astray = estate.strays["held_roles"]
    ids = set(zip(astray.ints("account").tolist(), astray.texts("person"), strict=True))
    if ids:
        odd |= np.array([key in ids for key in zip(account, people.ids(), strict=True)], dtype=np.bool_)
    return np.flatnonzero(odd)


def _records(estate: Estate, on: Ints) -> Rows:
    records = estate.records
    completed, until = records.ints("completed_on"), records.ints("expires_on")
    odd = completed > np.minimum(on, _LATEST_SOUND)[records.ints("account")]
    odd |= (until != NONE) & ((until < completed) | records.flags("never_expires"))
    return np.flatnonzero(odd)


def _none(estate: Estate, on: Ints) -> Rows:
    """Only strays are odd."""
    return np.empty(0, dtype=np.intp)


PICKED: Mapping[str, Callable[[Estate, Ints], Rows]] = {
    "account": _settings,
    "courses": _courses,
    "roles": _none,
    "personnel": _personnel,
    "assignments": _none,
    "records": _records,
    "enrolments": _none,
    "opt_outs": _none,
}
"""By table, the rows of any account that look odd on its night."""

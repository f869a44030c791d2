"""What is the same for many pairs of an estate on its nights, as small tables by account, course and person.

Everything a rule says about them is asked of the object engine, once for each different row: leads, validities, what a
code has from an account, a course, a person.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import final

import numpy as np
from attrs import frozen

from enrolpolicy.bulk.assembly import EPOCH
from enrolpolicy.bulk.codes import PERSON_SHIFT, PROFILE_SHIFT, Codes, person_digits
from enrolpolicy.bulk.columns import NONE, Estate, Flags, Ints, Table
from enrolpolicy.bulk.snapshots import account_of, courses_of, day_of
from enrolpolicy.dates import civil
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Anchor, Validity
from enrolpolicy.night import ASKED_SINCE, account_code, course_code
from enrolpolicy.renewal import after, lead_of

NEVER = 1 << 23
"""A day later than any: what never expires does so."""
_SPAN = 512
"""So many days of completions stand together in a table of expiries."""
_FARTHEST_BACK = 40_000
"""Completions longer ago than that, in days, are left to the object engine: the tables would be long."""


@final
@frozen(eq=False, kw_only=True)
class Terms:
    """What holds on the nights of an estate's accounts.

    By account: `on` (the night), `since` (missing training counts from then; past all days where it does whenever). By course: `first_of` its
    account, `opens` (the last expiry whose window may be open), `lapsed` (the first expiry not too long ago), the
    account's `on` again, `lead`, `validity` (its row in `expiries`), `anchored`, `profile`. By person: `digits`.
    `expiries` has, by validity and the day of a completion counted from `earliest`, the day it expires.
    """

    codes: Codes
    on: Ints
    since: Ints
    course_on: Ints
    opens: Ints
    lapsed: Ints
    lead: Ints
    validity: Ints
    anchored: Flags
    profile: Ints
    digits: Ints
    earliest: int
    expiries: Ints
    starts: Mapping[str, Ints]
    """By table, the first row of each account and, after the last, their number."""


Nights = date | Mapping[str, date]
"""One night for all accounts, or each account's own by its id."""


def terms_of(estate: Estate, on: Nights) -> Terms:
    """Work them out; raises `InvalidValue` where an account has no night, or one that is no plain date."""
    accounts, courses, people = estate.accounts, estate.courses, estate.personnel
    nights = _nights(accounts, on)
    account = courses.ints("account")
    course_on = nights[account]
    lead = _leads(estate)
    lookback = accounts.ints("expired_lookback_days")[account]
    profile, profiles = _profiles(estate)
    validity, validities = _validities(courses)
    earliest, expiries = _expiries(estate.records, validities, int(nights.max(initial=NONE)))
    digits = person_digits(
        people.flags("archived"), people.flags("auto_enrol"), people.choices("employment"), people.flags("reachable")
    )
    return Terms(
        codes=Codes(np.array(profiles, dtype=np.int64)),
        on=nights,
        since=_since(accounts),
        course_on=course_on,
        opens=course_on + lead,
        lapsed=course_on - lookback,
        lead=lead,
        validity=validity * (expiries.size // max(1, len(validities))),
        anchored=courses.choices("validity_anchor") == list(Anchor).index(Anchor.PREVIOUS_EXPIRY),
        profile=(profile << PROFILE_SHIFT).astype(np.uint32),
        digits=digits.astype(np.uint32) << PERSON_SHIFT,
        earliest=earliest,
        expiries=expiries,
        starts={
            name: np.searchsorted(table.ints("account"), np.arange(len(accounts) + 1)).astype(np.int32)
            for name, table in (("courses", courses), ("personnel", people), ("roles", estate.roles))
        },
    )


def _nights(accounts: Table, on: Nights) -> Ints:
    if isinstance(on, date):
        return np.full(len(accounts), civil("on", on).toordinal() - EPOCH, dtype=np.int32)
    ids = list(accounts.ids("account"))
    missing = next((id for id in ids if id not in on), None)
    if missing is not None:
        raise InvalidValue("on", f"must have a date for every account; `{missing}` has none")
    return np.array([civil("on", on[id]).toordinal() - EPOCH for id in ids], dtype=np.int32)


def _since(accounts: Table) -> Ints:
    since = accounts.ints("missing_since")
    return np.where(since == NONE, NEVER, since).astype(np.int32)


def distinct(columns: Sequence[np.ndarray[tuple[int], np.dtype[np.generic]]]) -> tuple[Sequence[int], Ints]:
    """The rows in which columns differ: one of each kind, and for every row, which kind it is."""
    kinds = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        _, digits = np.unique(column, return_inverse=True)
        _, kinds = np.unique(kinds * (int(digits.max(initial=0)) + 1) + digits, return_inverse=True)
    _, first = np.unique(kinds, return_index=True)
    return first.tolist(), kinds.astype(np.int32)


def _leads(estate: Estate) -> Ints:
    accounts, courses = estate.accounts, estate.courses
    account = courses.ints("account")
    own, theirs = courses.ints("lead_days"), accounts.ints("lead_days")[account]
    first, kinds = distinct([accounts.flags("custom_expiry")[account], theirs, own])
    alike = zip(account[first].tolist(), courses_of(estate, first), strict=True)
    leads = [lead_of(account_of(estate, row), course).days for row, course in alike]
    return np.array(leads, dtype=np.int32)[kinds]


def _profiles(estate: Estate) -> tuple[Ints, Sequence[int]]:
    accounts, courses = estate.accounts, estate.courses
    account = courses.ints("account")
    since = accounts.ints("missing_since") == NONE
    switches = [accounts.flags(name)[account] for name in ("elearning_plan_active", "auto_enrol", "auto_enrol_missing")]
    own = [courses.columns[name] for name in ("archived", "delivery", "auto_enrol", "audience", "scope")]
    first, kinds = distinct([*switches, since[account], *(column for column in own if isinstance(column, np.ndarray))])
    alike = zip(account[first].tolist(), courses_of(estate, first), strict=True)
    profiles = [
        account_code(account_of(estate, row)) | course_code(course) | (ASKED_SINCE if since[row] else 0)
        for row, course in alike
    ]
    return kinds, profiles


def _validities(courses: Table) -> tuple[Ints, Sequence[Validity | None]]:
    """Which validity each course has, and all of them, not looking at what they are counted from."""
    months, days = courses.ints("validity_months"), courses.ints("validity_days")
    first, kinds = distinct([months, days])
    return kinds, [_validity(int(months[row]), int(days[row])) for row in first]


def _validity(months: int, days: int) -> Validity | None:
    if months == days == NONE:
        return None
    return Validity(months=None if months == NONE else months, days=None if days == NONE else days)


def _expiries(records: Table, validities: Sequence[Validity | None], latest: int) -> tuple[int, Ints]:
    """For each validity, the expiries that follow from completions: of the days near to which there are any."""
    completed = records.ints("completed_on")
    first = (latest - _FARTHEST_BACK) // _SPAN
    spans = (completed // _SPAN) - first
    wanted = latest // _SPAN - first + 1
    met = np.bincount(np.clip(spans, -1, wanted) + 1, minlength=wanted + 2)[1 : wanted + 1]
    used = np.flatnonzero(met)
    low = int(used[0]) if len(used) else 0
    high = int(used[-1]) + 1 if len(used) else 1
    table = np.full((max(1, len(validities)), high - low, _SPAN), NEVER, dtype=np.int32)
    for place, validity in enumerate(validities):
        if validity is not None:
            for span in used.tolist():
                table[place, span - low] = _span(validity, span + first)
    return (low + first) * _SPAN, table.reshape(-1)


@lru_cache(maxsize=4096)
def _span(validity: Validity, span: int) -> Ints:
    """The expiries that follow from the completions of a span of days."""
    found = np.full(_SPAN, NEVER, dtype=np.int32)
    first = span * _SPAN
    for day in range(max(first, 1 - EPOCH), min(first + _SPAN, date.max.toordinal() - EPOCH + 1)):
        expiry = after(day_of(day), validity)
        found[day - first] = NEVER if expiry is None else expiry.toordinal() - EPOCH
    found.setflags(write=False)
    return found

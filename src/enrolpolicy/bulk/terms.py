"""What is the same for many pairs of an estate on its nights, as small tables by account, course and person.

Everything a rule says about them is asked of the object engine, once for each different row: leads, validities, what a
code has from an account, a course, a person.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, cast, final

import numpy as np
from attrs import evolve, frozen

from enrolpolicy.bulk.answers import Whole
from enrolpolicy.bulk.assembly import EPOCH, Rows
from enrolpolicy.bulk.classes import CodeTable, code_table
from enrolpolicy.bulk.codes import PROFILE_SHIFT, Codes, person_digits
from enrolpolicy.bulk.columns import NONE, Estate, Flags, Ints, Table
from enrolpolicy.bulk.picking import at
from enrolpolicy.bulk.snapshots import day_of, said_by
from enrolpolicy.dates import civil
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Account, Anchor, Course, Delivery, Validity
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

    By account: `on` (the night), `since` (from when on missing training counts; past all days where it always does).
    By course: `course_on` (its account's night), `opens` (the last expiry whose window may be open), `lapsed` (the
    first expiry not too long ago), `lead`, `lookback`, `anchored`, `profile`. By person: `digits`. `expiries` has, at
    a course's `validity` and the day of completion added up, the expiry that follows; for none before `earliest`.
    """

    codes: CodeTable
    on: Ints
    since: Ints
    course_on: Ints
    opens: Ints
    lapsed: Ints
    lead: Ints
    lookback: Ints
    validity: Rows
    validities: tuple[Validity | None, ...]
    anchored: Flags
    profile: Codes
    digits: Codes
    earliest: int
    expiries: Ints
    starts: Mapping[str, Ints]
    """By table, the first row of each account and, after the last, their number."""

    def nights(self, course: Rows) -> Ints:
        """The night of each course; one for all where the estate has but one."""
        first = self.on[:1]
        return first.reshape(()) if len(first) and (self.on == first).all() else at(self.course_on, course)

    def moved(self, estate: Estate, on: Ints) -> "Terms":
        """The same on other nights."""
        course_on = on[estate.courses.ints("account")]
        found = evolve(self, on=on, course_on=course_on, opens=course_on + self.lead, lapsed=course_on - self.lookback)
        reach = self.expiries.size // max(1, len(self.validities))
        latest = int(on.max(initial=-EPOCH))
        if latest < self.earliest + reach:
            return found
        first = max(self.earliest, latest - _FARTHEST_BACK) // _SPAN
        expiries = _spanned(self.validities, range(first, latest // _SPAN + 2))
        longer, earliest = expiries.size // max(1, len(self.validities)), first * _SPAN
        validity = (self.validity + self.earliest) // reach * longer - earliest
        return evolve(found, expiries=expiries, validity=validity, earliest=earliest)


Nights = date | Mapping[str, date]
"""One night for all accounts, or each account's own by its id."""


def terms_of(estate: Estate, on: Nights) -> Terms:
    """Work them out; raises `InvalidValue` where an account has no night, or one that is no plain date."""
    accounts, courses, people = estate.accounts, estate.courses, estate.personnel
    nights = nights_of(accounts, on)
    account = courses.ints("account")
    course_on = nights[account]
    lead = _leads(estate)
    lookback = accounts.ints("expired_lookback_days")[account]
    profile, profiles = _profiles(estate)
    validity, validities = _validities(courses)
    earliest, expiries = _expiries(estate.records, validities, int(nights.max(initial=-EPOCH)))
    return Terms(
        codes=code_table(profiles),
        on=nights,
        since=_since(accounts),
        course_on=course_on,
        opens=course_on + lead,
        lapsed=course_on - lookback,
        lead=lead,
        lookback=lookback,
        validity=(validity * (expiries.size // max(1, len(validities))) - earliest).astype(np.intp),
        validities=tuple(validities),
        anchored=courses.choices("validity_anchor") == list(Anchor).index(Anchor.PREVIOUS_EXPIRY),
        profile=(profile << PROFILE_SHIFT).astype(np.uint32),
        digits=digits_of(people),
        earliest=earliest,
        expiries=expiries,
        starts={
            name: np.searchsorted(table.ints("account"), np.arange(len(accounts) + 1)).astype(np.int32)
            for name, table in (("courses", courses), ("personnel", people), ("roles", estate.roles))
        },
    )


def nights_of(accounts: Table, on: Nights) -> Ints:
    """The night of each account; raises `InvalidValue` where one has none."""
    if isinstance(on, date):
        return np.full(len(accounts), civil("on", on).toordinal() - EPOCH, dtype=np.int32)
    ids = list(accounts.ids("account"))
    missing = next((id for id in ids if id not in on), None)
    if missing is not None:
        raise InvalidValue("on", f"must have a date for every account; `{missing}` has none")
    return np.array([civil("on", on[id]).toordinal() - EPOCH for id in ids], dtype=np.int32)


def digits_of(people: Table) -> Codes:
    """What people's codes have from them."""
    archived, on, reachable = (people.flags(name) for name in ("archived", "auto_enrol", "reachable"))
    return person_digits(archived, on, people.choices("employment"), reachable)


def _since(accounts: Table) -> Ints:
    since = accounts.ints("missing_since")
    return np.where(since == NONE, NEVER, since).astype(np.int32)


def distinct(columns: Sequence[np.ndarray[tuple[int], np.dtype[np.generic]]]) -> tuple[Sequence[int], Ints]:
    """The rows in which columns differ: one of each kind, and for every row, which kind it is."""
    kinds, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        lowest, highest = int(column.min(initial=0)), int(column.max(initial=0))
        if size * (highest - lowest + 1) > _MOST:
            _, kinds = np.unique(kinds, return_inverse=True)
            size = len(kinds)
        kinds = kinds * (highest - lowest + 1) + (column.astype(np.int64) - lowest)
        size *= highest - lowest + 1
    _, first, kinds = np.unique(kinds, return_index=True, return_inverse=True)
    return first.tolist(), kinds.astype(np.int32)


_MOST = np.iinfo(np.int64).max


def _leads(estate: Estate) -> Ints:
    account = estate.courses.ints("account")
    of_account, of_course = ("custom_expiry", "lead_days"), ("lead_days",)
    custom, theirs = (_numbers(estate.accounts, name)[account] for name in of_account)
    first, kinds = distinct([custom, theirs, estate.courses.ints("lead_days")])
    accounts = _accounts(estate, account[first].tolist(), of_account)
    alike = zip(accounts, _courses(estate, first, of_course), strict=True)
    return np.array([lead_of(*pair).days for pair in alike], dtype=np.int32)[kinds]


def _profiles(estate: Estate) -> tuple[Ints, Whole]:
    """Which profile each course has, and the facts each profile stands for."""
    accounts, courses = estate.accounts, estate.courses
    since = accounts.ints("missing_since") == NONE
    switches = ("elearning_plan_active", "auto_enrol", "auto_enrol_missing")
    first, kinds = distinct([*map(accounts.flags, switches), since])
    codes = np.array(list(map(account_code, _accounts(estate, first, switches))), dtype=np.int64)
    of_account = (codes | since[first] * ASKED_SINCE)[kinds]
    names = ("archived", "auto_enrol", "delivery", "audience", "scope")
    first, kinds = distinct([_numbers(courses, name) for name in names])
    of_course = np.array(list(map(course_code, _courses(estate, first, names))), dtype=np.int64)[kinds]
    profiles, profile = np.unique(of_account[courses.ints("account")] | of_course, return_inverse=True)
    # People are asked about even where there is no course: cells that are nobody's have the first profile.
    return profile.astype(np.int32), profiles if len(profiles) else np.zeros(1, dtype=np.int64)


def _numbers(table: Table, name: str) -> Ints:
    return cast("Ints", table.columns[name])


_NOBODY = "-"
"""For an id, which would cost more to look up than all that is asked about."""


def _accounts(estate: Estate, rows: Sequence[int], columns: Collection[str]) -> list[Account]:
    """Some accounts, of which no more is asked than these columns say."""
    return [Account(id=_NOBODY, **said) for said in said_by(estate, "accounts", estate.accounts, rows, columns)]


def _courses(estate: Estate, rows: Sequence[int], columns: Collection[str]) -> list[Course]:
    """Some courses, of which no more is asked than these columns say."""
    any_delivery: dict[str, Any] = {"delivery": next(iter(Delivery))}
    said_of = said_by(estate, "courses", estate.courses, rows, columns)
    return [Course(id=_NOBODY, **any_delivery | said) for said in said_of]


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
    """For each validity, the expiries that follow from completions: of all days from the first to the last there is."""
    completed = records.ints("completed_on")
    farthest = latest - _FARTHEST_BACK
    low = min(max(int(completed.min(initial=latest)), farthest), latest) // _SPAN
    return low * _SPAN, _spanned(validities, range(low, latest // _SPAN + 1))


def _spanned(validities: Sequence[Validity | None], spans: range) -> Ints:
    never = np.full(_SPAN, NEVER, dtype=np.int32)
    found = [never if validity is None else _span(validity, span) for validity in validities for span in spans]
    return np.concatenate(found or [never])


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

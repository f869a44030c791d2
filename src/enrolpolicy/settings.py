"""Settings that cannot mean what they say (rule 7): of the account, and of each course."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from enrolpolicy.dates import add_months
from enrolpolicy.model import Course, Delivery, Level, Scope, Snapshot, Validity
from enrolpolicy.plans import Finding, error, warning
from enrolpolicy.renewal import lead_of

ELEARNING = frozenset({Delivery.IHASCO, Delivery.SCORM})


def of_account(snapshot: Snapshot, _rows: Iterable[object], _: date | None) -> Iterator[Finding]:
    """What cannot be meant so in the settings of the account."""
    account = snapshot.account
    if account.lead_days is not None and not account.custom_expiry:
        yield _ignored_days("$.account.lead_days")
    if account.missing_since is not None and not account.auto_enrol_missing:
        yield warning(
            "missing-since-ignored",
            "$.account.missing_since",
            "the date has no effect while `auto_enrol_missing` is off; switch that on, or remove the date",
        )
    if account.credits is not None and account.credits < 0:
        yield warning(
            "negative-credits",
            "$.account.credits",
            f"the balance is `{account.credits}`, so only free courses can be booked; top it up",
        )


def _ignored_days(path: str) -> Finding:
    return warning(
        "custom-days-ignored",
        path,
        "custom days have no effect while `custom_expiry` is off; switch that on, or remove the days",
    )


def of_courses(snapshot: Snapshot, courses: Iterable[Course], _: date | None) -> Iterator[Finding]:
    """What cannot be meant so in the settings of each course."""
    required = _asked(snapshot)
    barren = frozenset() if snapshot.account.auto_enrol_missing else _where_nothing_expires(snapshot)
    for index, course in enumerate(courses):
        path = f"$.courses[{index}]"
        if course.lead_days is not None and not snapshot.account.custom_expiry:
            yield _ignored_days(f"{path}.lead_days")
        if not course.auto_enrol or course.archived:
            continue
        if course.delivery not in ELEARNING:
            yield warning(
                "not-elearning",
                f"{path}.auto_enrol",
                f"auto-enrol is ticked for `{course.id}`, which is not eLearning and is never booked; untick it",
            )
            continue
        yield from _lead_at_odds(snapshot, course, path)
        yield from _never_matches(course, path, required.get(course.id, set()))
        if course.id in barren:
            yield warning(
                "nothing-expires",
                f"{path}.auto_enrol",
                f"no record of `{course.id}` ever expires, and missing training is off, so nobody is enrolled; "
                "give the course a `validity`, or its records an `expires_on`",
            )


def _lead_at_odds(snapshot: Snapshot, course: Course, path: str) -> Iterator[Finding]:
    lead = lead_of(snapshot.account, course)
    if course.validity is not None and lead.days >= _shortest(course.validity):
        yield error(
            "lead-not-shorter-than-validity",
            f"{path}.validity",
            f"renewal would begin {lead.days} days before the expiry of a training that is valid for less; it begins "
            "half-way instead; shorten the lead, or lengthen the validity",
        )


def _shortest(validity: Validity) -> int:
    """The fewest days a validity can come to: months counted over every start in a year without 29 February."""
    if validity.days is not None:
        return validity.days
    assert validity.months is not None
    starts = [date(2001, month, 1) for month in range(1, 13)]
    return min((end - start).days for start in starts if (end := add_months(start, validity.months)))


def _asked(snapshot: Snapshot) -> dict[str, set[Level]]:
    asked: dict[str, set[Level]] = {}
    for role in snapshot.roles:
        for requirement in role.requirements:
            asked.setdefault(requirement.course, set()).add(requirement.level)
    for row in snapshot.assignments:
        asked.setdefault(row.course, set()).add(row.level)
    return asked


def _never_matches(course: Course, path: str, levels: set[Level]) -> Iterator[Finding]:
    if course.scope is Scope.REQUIRED and Level.REQUIRED not in levels and levels:
        yield warning(
            "scope-never-matches",
            f"{path}.scope",
            f"`{course.id}` is enrolled where it is required, and it is only ever optional; "
            "set the scope to `required-and-optional`, or require the course",
        )
    if not levels:
        yield warning(
            "never-asked-for",
            f"{path}.auto_enrol",
            f"no role and no assignment asks anybody for `{course.id}`, so nobody is enrolled; add it to a role",
        )


def _where_nothing_expires(snapshot: Snapshot) -> Collection[str]:
    """The courses of which no record ever expires; records are read until there are none left."""
    left = {course.id: course.validity is not None for course in snapshot.courses}
    for row in snapshot.records:
        by_validity = left.get(row.course)
        if by_validity is None or row.voided:
            continue
        if row.expires_on is not None or (by_validity and not row.never_expires):
            del left[row.course]
            if not left:
                break
    return left.keys()

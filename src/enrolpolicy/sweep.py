"""Every pair of a night asked, in haste: who is to be enrolled, and how many are left out for what.

Most are left out for who and what they are: the course's box is not ticked, nobody asks for the training. The leading
gates of the table read nothing else, so no date is looked at for those pairs, and people of one kind are settled
together. What is left open is asked pair by pair, by code, each different code once. `enrolpolicy.explanation` takes
none of these short cuts, and the tests hold the two against each other.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import takewhile
from typing import final

from attrs import frozen

from enrolpolicy.facts import facts_of
from enrolpolicy.model import Person
from enrolpolicy.night import MISSING, Night, person_code
from enrolpolicy.policy import GATES, NO_TRIGGER, Row
from enrolpolicy.verdict import verdict_of

Pair = tuple[str, str]

_KNOWN = frozenset(
    {
        "plan_active", "account_enabled", "missing_enabled", "course_active", "delivery", "course_enabled", "audience",
        "scope", "person_active", "person_enabled", "opted_out", "employment", "level",
    }
)  # fmt: skip


def _reads_what_is_known(gate: Row) -> bool:
    return _KNOWN.issuperset(gate.reads)


LEADING: tuple[Row, ...] = tuple(takewhile(_reads_what_is_known, GATES))
"""The gates before the first that reads records, enrolments or dates."""


@final
@frozen(eq=False)
class Sweep:
    """The pairs that are to be enrolled, and how many of the others have each first reason."""

    enrols: tuple[Pair, ...]
    reasons: Mapping[str, int]


@final
@frozen(eq=False)
class _Kind:
    """People who are the same to the leading gates, asked for the same courses since the same time.

    `somebody` is what their codes have from the account and the person. `open` holds the courses that those gates leave
    open to them, `settled` the codes of the others, `asked` is both; `reasons` are the first of those gates that are
    shut to each of them.
    """

    somebody: int
    open: Mapping[str, int]
    settled: tuple[int, ...]
    asked: Mapping[str, int]
    reasons: Mapping[str, str | None]


def sweep(tonight: Night) -> Sweep:
    """Ask every pair of a night."""
    left_out: dict[int, int] = {}
    settled: dict[int, int] = {}
    enrols: list[Pair] = []
    for person, course, code in _open_pairs(tonight, settled):
        if code in left_out:  # nearly all of them
            left_out[code] += 1
        elif verdict_of(code).enrols:
            enrols.append((person, course))
        else:
            left_out[code] = 1
    reasons: Counter[str] = Counter()
    for code, count in left_out.items():
        reasons[verdict_of(code).reason or NO_TRIGGER] += count
    for code, count in settled.items():
        reasons[_leading_reason(code) or NO_TRIGGER] += count
    return Sweep(tuple(enrols), reasons)


def open_pairs(tonight: Night) -> Iterator[tuple[str, str, int]]:
    """The pairs that the leading gates leave open, with their codes; some of those that opted out are among them."""
    return _open_pairs(tonight, {})


def first_reasons(tonight: Night) -> Callable[[str], dict[str, str | None]]:
    """What tells, for one person, the first reason of every course that concerns them; None: to be booked."""
    kinds: dict[object, _Kind] = {}

    def of(person: str) -> dict[str, str | None]:
        rows = tonight.register
        if person in rows.opted_out:
            return {c: verdict_of(tonight.read(person, c).code).reason for c in rows.courses_of(person)}
        _, kind = _kind_of(tonight, kinds, rows.people[person])
        records, enrolments, courses = rows.records[person], rows.enrolments[person], tonight.courses
        found = dict(kind.reasons)
        for course, code in kind.open.items():
            if course in enrolments:
                whole = tonight.read(person, course).code
            else:
                taken = records.get(course)
                whole = code | (MISSING if taken is None else courses[course].standing(taken))
            found[course] = verdict_of(whole).reason
        for course in {**records, **enrolments} if enrolments else records:
            if course not in kind.asked:
                found[course] = _leading_reason(kind.somebody | courses[course].code)
        return found

    return of


def _open_pairs(tonight: Night, settled: dict[int, int]) -> Iterator[tuple[str, str, int]]:
    """The pairs that the leading gates leave open, with their codes; those of the others are counted in `settled`."""
    rows, courses = tonight.register, tonight.courses
    kinds: dict[object, _Kind] = {}
    people_of: Counter[object] = Counter()
    for id, person in rows.people.items():
        if id in rows.opted_out:
            for course in rows.courses_of(id):
                yield id, course, tonight.read(id, course).code
            continue
        key, kind = _kind_of(tonight, kinds, person)
        people_of[key] += 1
        records, enrolments = rows.records[id], rows.enrolments[id]
        for course, code in kind.open.items():
            if course in enrolments:
                yield id, course, tonight.read(id, course).code
            else:
                taken = records.get(course)
                yield id, course, code | (MISSING if taken is None else courses[course].standing(taken))
        for course in {**records, **enrolments} if enrolments else records:
            if course not in kind.asked:
                code = kind.somebody | courses[course].code
                settled[code] = settled.get(code, 0) + 1
    for alike, count in people_of.items():
        for code in kinds[alike].settled:
            settled[code] = settled.get(code, 0) + count


def _kind_of(tonight: Night, kinds: dict[object, _Kind], person: Person) -> tuple[object, _Kind]:
    """The kind of a person, and what it goes by among `kinds`, where it is kept."""
    somebody = tonight.account_code | person_code(person)
    key = somebody, *tonight.asked_alike(person)
    kind = kinds.get(key)
    if kind is None:
        kind = kinds[key] = _kind(tonight, person, somebody)
    return key, kind


def _kind(tonight: Night, person: Person, somebody: int) -> _Kind:
    asked = {course: somebody | code for course, code in tonight.asked_codes(person).items()}
    reasons = {course: _leading_reason(code) for course, code in asked.items()}
    return _Kind(
        somebody=somebody,
        open={course: code for course, code in asked.items() if reasons[course] is None},
        settled=tuple(code for course, code in asked.items() if reasons[course] is not None),
        asked=asked,
        reasons=reasons,
    )


@lru_cache(maxsize=4096)
def _leading_reason(code: int) -> str | None:
    """The first of the leading gates that is shut, whatever the facts are that a code does not have yet; None: none."""
    facts = facts_of(code)
    return next((gate.id for gate in LEADING if not gate.holds(facts)), None)

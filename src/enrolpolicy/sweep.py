"""Every pair of a night asked, in haste: who is to be enrolled, and how many are left out for what.

Most are left out for who and what they are: the course's box is not ticked, nobody asks for the training. The leading
gates of the table read nothing else, so no date is looked at for those pairs, and people of one kind are settled
together. What is left open is asked pair by pair, by code, each different code once. `enrolpolicy.explanation` takes
none of these short cuts, and the tests hold the two against each other.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from itertools import takewhile
from typing import final

from attrs import frozen

from enrolpolicy.facts import facts_of
from enrolpolicy.model import Person
from enrolpolicy.night import MISSING, OPTED_OUT, Night, person_code
from enrolpolicy.policy import GATES, NO_TRIGGER, Row
from enrolpolicy.verdict import verdict_of

Pair = tuple[str, str]
Coded = tuple[str, str, int]
"""A person, a course, and the code of the two."""

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

    enrols: tuple[Coded, ...]
    reasons: Mapping[str, int]


@final
@frozen(eq=False)
class _Kind:
    """People who are the same to the leading gates, asked for the same courses since the same time.

    `somebody` is what their codes have from the account and the person, `out` the courses they opted out of. `open`
    holds the courses that those gates leave open to them, `settled` the codes of the others, `asked` is both; `reasons`
    are the first of those gates that are shut to each of them.
    """

    somebody: int
    out: frozenset[str]
    open: Mapping[str, int]
    settled: tuple[int, ...]
    asked: Mapping[str, int]
    reasons: Mapping[str, str | None]


def sweep(tonight: Night) -> Sweep:
    """Ask every pair of a night."""
    left_out: dict[int, int] = {}
    settled: dict[int, int] = {}
    enrols: list[Coded] = []
    for pair in _open_pairs(tonight, settled):
        code = pair[2]
        if code in left_out:  # nearly all of them
            left_out[code] += 1
        elif verdict_of(code).enrols:
            enrols.append(pair)
        else:
            left_out[code] = 1
    reasons: Counter[str] = Counter()
    for code, count in left_out.items():
        reasons[verdict_of(code).reason or NO_TRIGGER] += count
    for code, count in settled.items():
        reasons[_leading_reason(code) or NO_TRIGGER] += count
    return Sweep(tuple(enrols), reasons)


def open_pairs(tonight: Night) -> Iterator[Coded]:
    """The pairs that the leading gates leave open, with their codes."""
    return _open_pairs(tonight, {})


def first_reasons(tonight: Night) -> Callable[[str], dict[str, str | None]]:
    """What tells, for one person, the first reason of every course that concerns them; None: to be booked."""
    kinds: dict[object, _Kind] = {}

    def of(person: str) -> dict[str, str | None]:
        rows = tonight.register
        _, kind = _kind_of(tonight, kinds, rows.people[person])
        opened = {course: verdict_of(code).reason for _, course, code in _opened(tonight, person, kind)}
        others = _unasked(rows.records[person], rows.enrolments[person], kind)
        unasked = {
            course: _leading_reason(_code_unasked(tonight, kind.somebody, kind.out, course)) for course in others
        }
        return {**kind.reasons, **opened, **unasked}

    return of


def _open_pairs(tonight: Night, settled: dict[int, int]) -> Iterator[Coded]:
    """The pairs that the leading gates leave open, with their codes; those of the others are counted in `settled`."""
    rows = tonight.register
    kinds: dict[object, _Kind] = {}
    people: Counter[object] = Counter()
    unasked: defaultdict[tuple[int, frozenset[str]], Counter[str]] = defaultdict(Counter)
    for id, person in rows.people.items():
        key, kind = _kind_of(tonight, kinds, person)
        people[key] += 1
        yield from _opened(tonight, id, kind)
        unasked[kind.somebody, kind.out].update(_unasked(rows.records[id], rows.enrolments[id], kind))
    for key, count in people.items():
        for code in kinds[key].settled:
            settled[code] = settled.get(code, 0) + count
    for alike, courses in unasked.items():
        for course, count in courses.items():
            code = _code_unasked(tonight, *alike, course)
            settled[code] = settled.get(code, 0) + count


def _opened(tonight: Night, person: str, kind: _Kind) -> Iterator[Coded]:
    """One person's courses that the leading gates leave open, with their codes."""
    records, enrolments = tonight.register.records[person], tonight.register.enrolments[person]
    for course, code in kind.open.items():
        if course in enrolments:
            yield person, course, tonight.read(person, course).code
        elif course in records:
            yield person, course, code | tonight.courses[course].standing(records[course])
        else:
            yield person, course, code | MISSING


def _unasked(records: Mapping[str, object], enrolments: Mapping[str, object], kind: _Kind) -> Collection[str]:
    """The courses that somebody was recorded or enrolled on, and nobody asks them for."""
    strangers = records.keys() - kind.asked.keys()
    return strangers | (enrolments.keys() - kind.asked.keys()) if enrolments else strangers


def _code_unasked(tonight: Night, somebody: int, out: frozenset[str], course: str) -> int:
    """What the leading gates see of a course that nobody asks somebody for."""
    return somebody | tonight.courses[course].code | (OPTED_OUT if course in out else 0)


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
        out=tonight.register.out_of(person.id),
        open={course: code for course, code in asked.items() if reasons[course] is None},
        settled=tuple([code for course, code in asked.items() if reasons[course] is not None]),
        asked=asked,
        reasons=reasons,
    )


@lru_cache(maxsize=4096)
def _leading_reason(code: int) -> str | None:
    """The first of the leading gates that is shut, whatever the facts are that a code does not have yet; None: none."""
    facts = facts_of(code)
    return next((gate.id for gate in LEADING if not gate.holds(facts)), None)

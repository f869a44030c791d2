"""Rule 3 and rule 5: three tables of rows, total, unambiguous, and read by everything else."""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import (
    GATES,
    NO_TRIGGER,
    TRIGGERS,
    WITHDRAWALS,
    Audience,
    Delivery,
    Employment,
    Facts,
    Level,
    Row,
    Scope,
    Status,
    Withdrawal,
)
from enrolpolicy.facts import DOMAINS, LAYOUT, code, facts_of
from enrolpolicy.verdict import judge, verdict_of, withdrawn_because

ROWS = (*TRIGGERS, *GATES, *WITHDRAWALS)
Values = dict[str, Any]


class OnlyThese:
    """Facts of which only some may be looked at."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        return self._values[name]


def combinations(names: tuple[str, ...]) -> Iterator[Values]:
    """Every combination of values of some facts."""
    for values in itertools.product(*(DOMAINS[name] for name in names)):
        yield dict(zip(names, values, strict=True))


# Each row once more, in other words: what holds, over the values of the facts it is about.
DEFINITIONS: dict[str, Callable[[Any], bool]] = {
    "expiring": lambda f: f.status == Status.EXPIRING,
    "expired": lambda f: (f.status, f.lately_expired) == (Status.EXPIRED, True),
    "missing": lambda f: f.status == Status.MISSING,
    "plan-active": lambda f: f.plan_active,
    "account-enabled": lambda f: f.account_enabled,
    "course-active": lambda f: f.course_active,
    "course-elearning": lambda f: f.delivery in {Delivery.IHASCO, Delivery.SCORM},
    "course-enabled": lambda f: f.course_enabled,
    "person-active": lambda f: f.person_active,
    "person-enabled": lambda f: (f.person_enabled, f.opted_out) == (True, False),
    "assigned": lambda f: f.level in {Level.REQUIRED, Level.OPTIONAL},
    "in-scope": lambda f: (
        (f.level, f.scope)
        in {
            (Level.REQUIRED, Scope.REQUIRED),
            (Level.REQUIRED, Scope.REQUIRED_AND_OPTIONAL),
            (Level.OPTIONAL, Scope.REQUIRED_AND_OPTIONAL),
            (None, Scope.REQUIRED_AND_OPTIONAL),
        }
    ),
    "in-audience": lambda f: (f.employment, f.audience) != (Employment.SUBCONTRACTOR, Audience.EMPLOYEES),
    "missing-enabled": lambda f: (
        f.status in {Status.CURRENT, Status.EXPIRING, Status.EXPIRED}
        or (f.missing_enabled, f.asked_since) == (True,) * 2
    ),
    "not-enrolled": lambda f: f.enrolled is False,
    "completion-recorded": lambda f: f.awaiting_record is False,
    "not-cancelled": lambda f: f.cancelled_on_request is False,
    "not-refused": lambda f: f.refusal_pause is False,
    "reachable": lambda f: f.reachable,
    "superseded": lambda f: (f.status, f.other_cycle) == (Status.CURRENT, True),
    "person-archived": lambda f: f.person_active is False,
    "no-longer-assigned": lambda f: f.level is None,
    "course-archived": lambda f: f.course_active is False or f.delivery in {Delivery.CLASSROOM, Delivery.OTHER},
    "person-disabled": lambda f: f.person_enabled is False or f.opted_out is True,
    "course-disabled": lambda f: f.course_enabled is False,
    "out-of-audience": lambda f: (f.employment, f.audience) == (Employment.SUBCONTRACTOR, Audience.EMPLOYEES),
    "out-of-scope": lambda f: (f.level, f.scope) in {(Level.OPTIONAL, Scope.REQUIRED), (None, Scope.REQUIRED)},
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
class TestEveryRow:
    """A row answers for every combination of the facts it reads, reads no other, and is what its rule says."""

    def test_is_its_rule(self, row: Row) -> None:
        for values in combinations(row.reads):
            facts: Any = OnlyThese(values)
            assert row.holds(facts) is bool(DEFINITIONS[row.id](facts))

    def test_holds_sometimes_and_sometimes_not(self, row: Row) -> None:
        answers = {row.holds(OnlyThese(values)) for values in combinations(row.reads)}  # type: ignore[arg-type]  # stands in for facts
        assert answers == {True, False}

    def test_every_fact_it_reads_matters(self, row: Row) -> None:
        for name in row.reads:
            rest = tuple(other for other in row.reads if other != name)
            assert any(
                len({row.holds(OnlyThese({**values, name: value})) for value in DOMAINS[name]}) == 2  # type: ignore[arg-type]  # the same
                for values in combinations(rest)
            )

    def test_is_said_in_words(self, row: Row) -> None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", row.id)
        for sentence in (row.yes, row.no, row.serves):
            assert sentence
            assert not sentence.endswith(".")
        assert row.serves[:2] == ("5," if row in WITHDRAWALS else "3,")


class TestTheTablesTogether:
    """Ids are unique, triggers exclude each other, and between them the rows read every fact."""

    def test_ids_are_unique(self) -> None:
        ids = [row.id for row in ROWS]
        assert len({*ids, NO_TRIGGER}) == len(ids) + 1

    def test_as_many_rows_as_the_rules_have(self) -> None:
        assert (len(TRIGGERS), len(GATES), len(WITHDRAWALS)) == (3, 16, 8)
        assert set(DEFINITIONS) == {row.id for row in ROWS}

    def test_every_cause_an_account_can_choose_is_a_row(self) -> None:
        assert [row.id for row in WITHDRAWALS] == [cause.value for cause in Withdrawal]

    def test_at_most_one_trigger_fires(self) -> None:
        for values in combinations(("status", "lately_expired")):
            facts: Any = OnlyThese(values)
            assert sum(row.holds(facts) for row in TRIGGERS) <= 1

    def test_every_fact_is_read(self) -> None:
        assert {name for row in ROWS for name in row.reads} == {field.name for field in fields(Facts)}


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    values: dict[str, Any] = {name: draw(st.sampled_from(domain)) for name, domain in DOMAINS.items()}
    return Facts(**values)


OPEN = Facts(
    plan_active=True, account_enabled=True, missing_enabled=True, course_active=True, delivery=Delivery.IHASCO,
    course_enabled=True, audience=Audience.EVERYONE, scope=Scope.REQUIRED_AND_OPTIONAL, person_active=True,
    person_enabled=True, employment=Employment.EMPLOYEE, reachable=True, opted_out=False, level=Level.REQUIRED,
    asked_since=True, status=Status.EXPIRING, lately_expired=False, enrolled=False, awaiting_record=False,
    cancelled_on_request=False, refusal_pause=False, other_cycle=False,
)  # fmt: skip


class TestTheVerdict:
    """Enrol if and only if one trigger fires and no gate is shut; the first reason is the first shut gate in order."""

    @given(any_facts())
    def test_enrol_if_and_only_if(self, facts: Facts) -> None:
        verdict = judge(facts)
        fired = [row.id for row in TRIGGERS if DEFINITIONS[row.id](facts)]
        assert verdict.trigger == (fired[0] if fired else None)
        assert verdict.shut == tuple(row.id for row in GATES if not DEFINITIONS[row.id](facts))
        assert verdict.enrols == (len(fired) == 1 and verdict.shut == ())
        assert (verdict.reason is None) == verdict.enrols
        if verdict.shut:
            assert verdict.reason == verdict.shut[0]
        elif not fired:
            assert verdict.reason == NO_TRIGGER

    def test_with_all_gates_open(self) -> None:
        assert judge(OPEN).enrols

    @given(any_facts(), st.sets(st.sampled_from(sorted(Withdrawal, key=lambda cause: cause.value))))
    def test_the_first_chosen_cause_that_holds(self, facts: Facts, causes: set[Withdrawal]) -> None:
        holding = [row.id for row in WITHDRAWALS if DEFINITIONS[row.id](facts) and Withdrawal(row.id) in causes]
        assert withdrawn_because(facts, frozenset(causes)) == (holding[0] if holding else None)


class TestFactsAsOneNumber:
    """A code is the facts and nothing but the facts: every value of each has its own digit."""

    @given(any_facts())
    def test_there_and_back(self, facts: Facts) -> None:
        number = code(**{name: getattr(facts, name) for name in DOMAINS})
        assert facts_of(number) == facts
        assert verdict_of(number) == judge(facts)

    def test_digits_do_not_overlap(self) -> None:
        taken = 0
        for shift, mask in LAYOUT.values():
            assert taken & mask << shift == 0
            taken |= mask << shift

    def test_each_value_has_its_own(self) -> None:
        numbers = [code(**{name: value}) for name, domain in DOMAINS.items() for value in domain[1:]]
        assert len(set(numbers)) == len(numbers)
        assert all(code(**{name: domain[0]}) == 0 for name, domain in DOMAINS.items())

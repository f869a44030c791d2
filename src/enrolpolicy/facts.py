"""The facts a rule may see, and nothing else: a handful of booleans and small enumerations.

Because they are finite, the tables of `enrolpolicy.policy` can be proved total by walking through every combination,
and a combination fits in one small integer, its *code*. The planner, which reads hundreds of thousands of candidates
a night, ORs codes together and asks for each distinct one a single time; columns can do the same.
"""

from enum import Enum
from functools import lru_cache
from typing import Any, final

from attrs import fields, frozen

from enrolpolicy.model import Audience, Delivery, Employment, Level, Scope


@final
class Status(Enum):
    """How a person's training in a course stands on a date (rule 2)."""

    MISSING = "missing"
    CURRENT = "current"
    EXPIRING = "expiring"
    EXPIRED = "expired"


@final
@frozen(kw_only=True)
class Facts:
    """All that is known to the rules about one person and one course on one date.

    The account's: `plan_active`, `account_enabled`, `missing_enabled`. The course's: `course_active`, `delivery`,
    `course_enabled`, `audience`, `scope`. The person's: `person_active`, `person_enabled`, `employment`, `reachable`.
    The pair's: the rest, the last of them about one booking of it.
    """

    plan_active: bool
    account_enabled: bool
    missing_enabled: bool
    course_active: bool
    delivery: Delivery
    course_enabled: bool
    audience: Audience
    scope: Scope
    person_active: bool
    person_enabled: bool
    employment: Employment
    reachable: bool
    opted_out: bool
    level: Level | None
    asked_since: bool
    """No `missing_since` is set, or the training was (last) asked of the person on or after it."""
    status: Status
    lately_expired: bool
    """Expired, and not longer ago than the account looks back."""
    enrolled: bool
    """There is an open enrolment, of either origin."""
    awaiting_record: bool
    """An enrolment of this cycle was completed, and its training record has not arrived."""
    cancelled_on_request: bool
    """Somebody cancelled an enrolment of this cycle, and the training was not asked anew."""
    refusal_pause: bool
    """The LMS refused an enrolment of this cycle, and the pause before the next try is not over."""
    other_cycle: bool
    """The booking looked at renews another completion than the one that counts now; False where none is looked at."""


# A value of a fact, as the tables that list them must call it.
Value = bool | Enum | None


def _domain(annotation: Any) -> tuple[Value, ...]:
    if annotation is bool:
        return (False, True)
    if annotation == Level | None:
        return (None, *Level)
    return tuple(annotation)


DOMAINS: dict[str, tuple[Value, ...]] = {field.name: _domain(field.type) for field in fields(Facts)}
"""Every value of every fact, the code's digits in that order."""


def _layout() -> dict[str, tuple[int, int]]:
    layout, shift = {}, 0
    for name, domain in DOMAINS.items():
        bits = (len(domain) - 1).bit_length()
        layout[name] = shift, (1 << bits) - 1
        shift += bits
    return layout


LAYOUT: dict[str, tuple[int, int]] = _layout()
"""Where each fact's digit stands in a code: how far it is shifted, and its mask."""


_DIGITS: dict[tuple[str, Value], int] = {
    (name, value): digit << LAYOUT[name][0] for name, domain in DOMAINS.items() for digit, value in enumerate(domain)
}


def code(**values: Value) -> int:
    """The code of some facts; those left out are at the first value of their domain, which is 0."""
    return sum([_DIGITS[name, value] for name, value in values.items()])


@lru_cache(maxsize=4096)
def facts_of(code: int) -> Facts:
    """The facts a code stands for."""
    values: dict[str, Any] = {name: DOMAINS[name][code >> shift & mask] for name, (shift, mask) in LAYOUT.items()}
    return Facts(**values)

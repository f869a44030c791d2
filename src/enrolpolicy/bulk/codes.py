"""What is known of a pair as one small number, and what the tables say to it.

The code of a pair has its own facts in the lowest byte, then the person's, then its profile (all there is to say of
account and course), then what few bookings say. `Codes` asks `enrolpolicy.verdict` for each code that turns up, once,
and remembers the answer in a table; deciding a million pairs is looking a million bytes up.
"""

from collections.abc import Sequence
from typing import final

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from enrolpolicy.bulk.columns import Choices
from enrolpolicy.facts import LAYOUT, Status, code
from enrolpolicy.model import Employment, Level, Person
from enrolpolicy.night import (
    ASKED_SINCE,
    AWAITING_RECORD,
    CANCELLED_ON_REQUEST,
    CURRENT,
    ENROLLED,
    EXPIRED,
    LATELY_EXPIRED,
    MISSING,
    OPTED_OUT,
    REFUSAL_PAUSE,
    person_code,
)
from enrolpolicy.policy import GATES, NO_TRIGGER
from enrolpolicy.verdict import Verdict, verdict_of

# The lowest byte: where the training stands, who asks for it, whether the person opted out or is enrolled.
UNTOUCHED, RECORDED, IS_CURRENT, IS_EXPIRING, IS_EXPIRED, IS_LATELY_EXPIRED = range(6)
STATUS_MASK = 7
REQUIRED_BIT, OPTIONAL_BIT, ASKED_BIT, OPTED_OUT_BIT, OPEN_BIT = 8, 16, 32, 64, 128
LEVEL_MASK = REQUIRED_BIT | OPTIONAL_BIT
PERSON_SHIFT, PROFILE_SHIFT = 8, 12

STANDINGS = (
    MISSING,  # and nothing was ever recorded or booked
    MISSING,
    CURRENT,
    code(status=Status.EXPIRING),
    EXPIRED,
    EXPIRED | LATELY_EXPIRED,
)
"""What each status digit stands for."""
STATUS_FACTS = sum(mask << shift for shift, mask in (LAYOUT["status"], LAYOUT["lately_expired"]))
"""Where the facts they are about stand."""

_LEVELS = {0: code(level=None), 1: code(level=Level.REQUIRED), 2: code(level=Level.OPTIONAL)}
_LEVELS[3] = _LEVELS[1]  # the stronger one
_OWN = ((ASKED_BIT, ASKED_SINCE), (OPTED_OUT_BIT, OPTED_OUT), (OPEN_BIT, ENROLLED))
RARE = (AWAITING_RECORD, CANCELLED_ON_REQUEST, REFUSAL_PAUSE)
"""What is read for few pairs only, by the object engine."""
_RARE_FACTS = frozenset({"awaiting_record", "cancelled_on_request", "refusal_pause"})

UNASKED, NOBODY, ENROLS, FIRST_REASON = range(4)
"""What the table says of a code: not asked yet; not a candidate; to be enrolled; or a place in `REASONS` from there."""
REASONS: tuple[str, ...] = (*(gate.id for gate in GATES), NO_TRIGGER)

_SETTLING = next(place for place, gate in enumerate(GATES) if not _RARE_FACTS.isdisjoint(gate.reads))
"""The first gate that looks at what few bookings say: a reason before it stands, whatever they say."""


def _person_codes() -> Sequence[int]:
    """What each person digit stands for: archived, switched on, sub-contractor, reachable."""
    return [
        person_code(
            Person(
                id="somebody",
                archived=bool(digit & 1),
                auto_enrol=bool(digit & 2),
                employment=list(Employment)[digit >> 2 & 1],
                email="somebody@example.org" if digit & 8 else None,
            )
        )
        for digit in range(16)
    ]


PERSON_CODES = _person_codes()


@final
@define(eq=False)
class Codes:
    """The codes of an estate: the facts each stands for, and the verdicts on those that turned up."""

    profiles: Sequence[int]
    """The facts that each profile stands for."""
    _reasons: Choices = field(init=False)
    _rare_shift: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        bits = max(1, (len(self.profiles) - 1).bit_length())
        self._rare_shift = PROFILE_SHIFT + bits
        self._reasons = np.zeros(1 << (self._rare_shift + len(RARE)), dtype=np.uint8)

    def facts(self, code: int) -> int:
        """The code of `enrolpolicy.facts` that a code of a pair stands for."""
        found = STANDINGS[code & STATUS_MASK] | _LEVELS[code >> 3 & 3] | PERSON_CODES[code >> PERSON_SHIFT & 15]
        found |= self.profiles[code >> PROFILE_SHIFT & ((1 << (self._rare_shift - PROFILE_SHIFT)) - 1)]
        for bit, fact in _OWN:
            found |= fact if code & bit else 0
        for place, fact in enumerate(RARE):
            found |= fact if code >> self._rare_shift >> place & 1 else 0
        return found

    def rare(self, facts: int) -> int:
        """What a code has from what few bookings say, as the object engine read it."""
        return sum(1 << self._rare_shift + place for place, fact in enumerate(RARE) if facts & fact)

    def verdict(self, code: int) -> Verdict:
        """The verdict on a code."""
        return verdict_of(self.facts(code))

    def reasons(self, codes: NDArray[np.uint32]) -> Choices:
        """For each code, what the table says: `NOBODY`, `ENROLS`, or the first reason against it."""
        found = self._reasons[codes]
        if not found.all():
            for one in np.unique(codes[found == UNASKED]).tolist():
                self._reasons[one] = self._reason(one)
            found = self._reasons[codes]
        return found

    def _reason(self, code: int) -> int:
        if not code & (STATUS_MASK | LEVEL_MASK):
            return NOBODY
        reason = self.verdict(code).reason
        return ENROLS if reason is None else FIRST_REASON + REASONS.index(reason)


def settled(reasons: Choices) -> NDArray[np.bool_]:
    """Whether each reason stands whatever few bookings say."""
    return (reasons == NOBODY) | ((reasons >= FIRST_REASON) & (reasons < FIRST_REASON + _SETTLING))


def person_digits(
    archived: NDArray[np.bool_], on: NDArray[np.bool_], employment: Choices, reachable: NDArray[np.bool_]
) -> Choices:
    """What people's codes have from them."""
    return archived.view(np.uint8) | on.view(np.uint8) << 1 | employment << 2 | reachable.view(np.uint8) << 3


def asks(levels: Choices) -> Choices:
    """What the lowest byte has from each level of a requirement."""
    return np.array([REQUIRED_BIT, OPTIONAL_BIT], dtype=np.uint8)[levels]

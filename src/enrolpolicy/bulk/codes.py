"""What is known of a pair as one small number, and what the tables say to it.

The code of a pair has its own facts in the lowest byte, then the person's, then its profile (all there is to say of
account and course), then what few bookings say. `CodeTable` asks the rows of the policy about each code that turns
up, once, and keeps what they say; deciding a million pairs is looking a million bytes up.
"""

from collections.abc import Sequence
from typing import final

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from enrolpolicy.bulk.answers import Whole, first_reasons
from enrolpolicy.bulk.columns import Choices, Flags
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
from enrolpolicy.policy import GATES

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

_ASKED_AT = (code(level=None), code(level=Level.REQUIRED), code(level=Level.OPTIONAL), code(level=Level.REQUIRED))
_OWN = ((ASKED_BIT, ASKED_SINCE), (OPTED_OUT_BIT, OPTED_OUT), (OPEN_BIT, ENROLLED))
RARE = (AWAITING_RECORD, CANCELLED_ON_REQUEST, REFUSAL_PAUSE)
"""What is read for few pairs only, by the object engine."""
_BEING_ASKED = 255
_FEW = 4096
"""So few codes are sorted quicker than the table is gone through."""
_RARE_FACTS = frozenset({"awaiting_record", "cancelled_on_request", "refusal_pause"})

Codes = NDArray[np.uint32]
"""Codes of pairs."""

UNASKED, NOBODY, ENROLS, FIRST_REASON = range(4)
"""What the table says of a code: not asked yet; not a candidate; to be enrolled; or a place in `REASONS` from there."""

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


PERSON_CODES: Whole = np.array(_person_codes(), dtype=np.int64)


def _bytes() -> Sequence[int]:
    """What each lowest byte stands for."""
    own = [sum(fact for bit, fact in _OWN if byte & bit) for byte in range(256)]
    standings = [*STANDINGS, MISSING, MISSING]
    return [standings[byte & STATUS_MASK] | _ASKED_AT[byte >> 3 & 3] | facts for byte, facts in enumerate(own)]


_BYTES: Whole = np.array(_bytes(), dtype=np.int64)


@final
@define(eq=False)
class CodeTable:
    """The codes of an estate: the facts each stands for, and what the table says of those that turned up."""

    profiles: Whole
    """The facts that each profile stands for."""
    rare_shift: int = field(init=False)
    _reasons: Choices = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.rare_shift = PROFILE_SHIFT + max(1, (len(self.profiles) - 1).bit_length())
        self._reasons = np.zeros(1 << self.rare_shift, dtype=np.uint8)

    def facts(self, codes: Whole) -> Whole:
        """The codes of `enrolpolicy.facts` that codes of pairs stand for."""
        found: Whole = _BYTES[codes & 0xFF] | PERSON_CODES[codes >> PERSON_SHIFT & 15]
        found |= self.profiles[codes >> PROFILE_SHIFT & ((1 << (self.rare_shift - PROFILE_SHIFT)) - 1)]
        for place, fact in enumerate(RARE):
            found |= (codes >> self.rare_shift >> place & 1) * fact
        return found

    def rare(self, facts: int) -> int:
        """What a code has from what few bookings say, as the object engine read it."""
        return sum(1 << self.rare_shift + place for place, fact in enumerate(RARE) if facts & fact)

    def reasons(self, codes: Codes) -> Choices:
        """For each code, what the table says: `NOBODY`, `ENROLS`, or the first reason against it."""
        if codes.max(initial=0) >= len(self._reasons):
            # Too few are rare for a place in the table, which would be eight times as long.
            rare = np.flatnonzero(codes >= len(self._reasons))
            found = self.reasons(codes & np.uint32(len(self._reasons) - 1))
            different, place = np.unique(codes[rare], return_inverse=True)
            found[rare] = self._said(different.astype(np.int64))[place]
            return found
        found = self._reasons.take(codes)
        if not found.all():
            unasked = np.flatnonzero(found == UNASKED)
            new = self._new(codes[unasked])
            self._reasons[new] = self._said(new)
            found[unasked] = self._reasons.take(codes[unasked])
        return found

    def _said(self, codes: Whole) -> Choices:
        """The same, asked of the rows of the policy."""
        said = first_reasons(self.facts(codes)) + np.uint8(ENROLS)
        return np.where(codes & (STATUS_MASK | LEVEL_MASK), said, NOBODY).astype(np.uint8)

    def _new(self, codes: Codes) -> Whole:
        """Each of some codes once."""
        if len(codes) < _FEW:
            return np.unique(codes).astype(np.int64)
        self._reasons[codes] = _BEING_ASKED
        return np.flatnonzero(self._reasons == _BEING_ASKED)


def settled(reasons: Choices) -> Flags:
    """Whether each reason stands whatever few bookings say."""
    stands: Flags = (reasons == NOBODY) | ((reasons >= FIRST_REASON) & (reasons < FIRST_REASON + _SETTLING))
    return stands


def person_digits(archived: Flags, on: Flags, employment: Choices, reachable: Flags) -> Codes:
    """What people's codes have from them."""
    digits: Codes = archived.astype(np.uint32)
    for place, part in enumerate((on, employment, reachable), 1):
        digits |= part.astype(np.uint32) << np.uint32(place)
    return digits << np.uint32(PERSON_SHIFT)


def asks(levels: Choices) -> Choices:
    """What the lowest byte has from each level of a requirement."""
    return np.array([REQUIRED_BIT, OPTIONAL_BIT], dtype=np.uint8)[levels]

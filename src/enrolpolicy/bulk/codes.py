"""What is known of a pair as one small number.

The code of a pair has its own facts in the lowest byte, then the person's, then its profile (all there is to say of
account and course), then what few bookings say. What the table says of it is looked up, see `enrolpolicy.bulk.classes`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from enrolpolicy.bulk.answers import Whole, earlier, first_shut, mask_of
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

Codes = NDArray[np.uint32]
"""Codes of pairs."""

NOBODY, ENROLS, FIRST_REASON = range(3)
"""What the table says of a code: not a candidate; to be enrolled; or a place in `REASONS` from there."""

RARE_GATES = tuple(place for place, gate in enumerate(GATES) if mask_of(gate) & sum(RARE))
"""The gates that look at what few bookings say, and at nothing else. A reason before them stands, whatever they say."""


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


BYTES: Whole = np.array(_bytes(), dtype=np.int64)
"""What each lowest byte stands for."""


def said_of(reasons: Choices, own: Whole) -> Choices:
    """What the table says of pairs, by the first reason against them and their lowest byte."""
    return np.where(own & (STATUS_MASK | LEVEL_MASK), reasons + np.uint8(ENROLS), np.uint8(NOBODY))


def settled(reasons: Choices) -> Flags:
    """Whether each reason stands whatever few bookings say."""
    stands: Flags = (reasons == NOBODY) | ((reasons >= FIRST_REASON) & (reasons < FIRST_REASON + RARE_GATES[0]))
    return stands


def reconsidered(reasons: Choices, rare: Whole) -> Choices:
    """What is said of pairs once it is known what their bookings say."""
    return earlier(reasons - np.uint8(ENROLS), first_shut(rare, RARE_GATES)) + np.uint8(ENROLS)


def person_digits(archived: Flags, on: Flags, employment: Choices, reachable: Flags) -> Codes:
    """What people's codes have from them."""
    digits: Codes = archived.astype(np.uint32)
    for place, part in enumerate((on, employment, reachable), 1):
        digits |= part.astype(np.uint32) << np.uint32(place)
    return digits << np.uint32(PERSON_SHIFT)


def asks(levels: Choices) -> Choices:
    """What the lowest byte has from each level of a requirement."""
    return np.array([REQUIRED_BIT, OPTIONAL_BIT], dtype=np.uint8)[levels]

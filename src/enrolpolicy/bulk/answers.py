"""The rows of the policy, asked about many codes of facts at once.

A row looks at the facts it `reads` and at no others, and those have a handful of values. So each row is asked about
every combination of them, once, and its answers stand in a table; asking about a code is looking its digits up.
"""

from collections.abc import Sequence
from itertools import product
from typing import final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from enrolpolicy.bulk.columns import Choices, Flags, Ints
from enrolpolicy.facts import DOMAINS, LAYOUT, code, facts_of
from enrolpolicy.policy import GATES, NO_TRIGGER, TRIGGERS, WITHDRAWALS, Row

Whole = NDArray[np.int64]
"""Codes of facts."""

REASONS: tuple[str, ...] = (*(gate.id for gate in GATES), NO_TRIGGER)
"""What can stand against enrolling, in the order of the table."""


@final
@frozen(eq=False)
class Answers:
    """A row's answers: where the digits it reads stand in a code, and what it says to each combination of them."""

    digits: tuple[tuple[int, int, int], ...]
    """For each fact read: how far it is shifted in a code, its mask, and how far in the table."""
    table: Flags

    def of(self, codes: Whole) -> Flags:
        """Whether the row holds, for each code."""
        place = np.zeros(len(codes), dtype=np.int64)
        for shift, mask, at in self.digits:
            place |= (codes >> shift & mask) << at
        return self.table.take(place)


def answers(row: Row) -> Answers:
    """Ask a row about every combination of the facts it reads."""
    digits, at = [], 0
    for name in row.reads:
        shift, mask = LAYOUT[name]
        digits.append((shift, mask, at))
        at += mask.bit_length()
    found = Answers(tuple(digits), np.zeros(1 << at, dtype=np.bool_))
    for values in product(*(DOMAINS[name] for name in row.reads)):
        met = code(**dict(zip(row.reads, values, strict=True)))
        place = sum((met >> shift & mask) << at for shift, mask, at in digits)
        found.table[place] = row.holds(facts_of(met))
    return found


_TRIGGERS, _GATES, _WITHDRAWALS = (tuple(map(answers, rows)) for rows in (TRIGGERS, GATES, WITHDRAWALS))


def shut(codes: Whole) -> NDArray[np.uint32]:
    """The shut gates of each code, a bit for each in the order of the table."""
    found = np.zeros(len(codes), dtype=np.uint32)
    for place, gate in enumerate(_GATES):
        found |= (~gate.of(codes)).astype(np.uint32) << np.uint32(place)
    return found


def triggers(codes: Whole) -> Choices:
    """The place of the trigger that fires for each code; their number where none does."""
    found = np.full(len(codes), len(_TRIGGERS), dtype=np.uint8)
    for place in reversed(range(len(_TRIGGERS))):
        found[_TRIGGERS[place].of(codes)] = place
    return found


def withdrawn(codes: Whole, causes: Ints) -> Choices:
    """The place of the first cause that holds for each code, of those whose bit is chosen; their number: none does."""
    found = np.full(len(codes), len(_WITHDRAWALS), dtype=np.uint8)
    for place in reversed(range(len(_WITHDRAWALS))):
        found[_WITHDRAWALS[place].of(codes) & (causes >> place & 1 != 0)] = place
    return found


def first_reasons(codes: Whole, gates: Sequence[int] = range(len(GATES))) -> Choices:
    """1 and the place among `REASONS` of the first reason against each code, of some gates; 0 where there is none."""
    untriggered = triggers(codes) == len(TRIGGERS)
    return earlier(first_shut(codes, gates), untriggered * np.uint8(len(REASONS)))


def earlier(one: Choices, other: Choices) -> Choices:
    """The earlier of two reasons, of which 0 is none."""
    found: Choices = np.minimum(one - np.uint8(1), other - np.uint8(1))  # 0 turns into 255, and back again
    return found + np.uint8(1)


def first_shut(codes: Whole, places: Sequence[int]) -> Choices:
    """1 and the place of the first gate that is shut for each code, of some; 0 where none is."""
    found = np.zeros(len(codes), dtype=np.uint8)
    for place in reversed(places):
        found[~_GATES[place].of(codes)] = place + 1
    return found


def mask_of(row: Row) -> int:
    """Where the facts that a row reads stand in a code."""
    return sum(mask << shift for shift, mask in (LAYOUT[name] for name in row.reads))

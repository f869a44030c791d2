"""What the table says of a pair over columns is what its rows say, asked one by one."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy.bulk.answers import REASONS, mask_of
from enrolpolicy.bulk.classes import code_table
from enrolpolicy.bulk.codes import (
    BYTES,
    ENROLS,
    FIRST_REASON,
    LEVEL_MASK,
    NOBODY,
    PERSON_CODES,
    PERSON_SHIFT,
    PROFILE_SHIFT,
    RARE,
    RARE_GATES,
    STATUS_MASK,
    reconsidered,
)
from enrolpolicy.bulk.demand import CAUSES
from enrolpolicy.facts import DOMAINS, LAYOUT, facts_of
from enrolpolicy.policy import GATES, NO_TRIGGER, TRIGGERS

OF_SETTINGS = ("plan_active", "account_enabled", "missing_enabled", "course_active", "course_enabled", "asked_since")
CHOSEN = ("delivery", "audience", "scope")


def profiles() -> st.SearchStrategy[int]:
    """What may be said of an account and a course."""
    return st.sampled_from(every_profile().tolist())


def every_profile() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """All there may be."""
    found = np.zeros(1, dtype=np.int64)
    for name in (*OF_SETTINGS, *CHOSEN):
        digits = np.arange(len(DOMAINS[name])) << LAYOUT[name][0]
        found = (found[:, None] | digits).reshape(-1)
    return found


def said_by_rows(facts: int, byte: int) -> str | None:
    """What the rows say: nothing of nobody's pair, `enrols`, or the first reason against it."""
    if not byte & (STATUS_MASK | LEVEL_MASK):
        return None
    known = facts_of(facts)
    shut = [gate.id for gate in GATES if not gate.holds(known)]
    none = [] if any(row.holds(known) for row in TRIGGERS) else [NO_TRIGGER]
    return (*shut, *none, "enrols")[0]


def said(code: int) -> str | None:
    if code == NOBODY:
        return None
    return "enrols" if code == ENROLS else REASONS[code - FIRST_REASON]


class TestEachCodeIsAskedAboutOnce:
    """Settings that no row tells apart share a class; what a class and a byte say is what the rows say of the pair."""

    @given(st.lists(profiles(), min_size=1, max_size=6, unique=True), st.data())
    def test_all_that_is_said(self, drawn: Sequence[int], data: st.DataObject) -> None:
        known = np.array(drawn, dtype=np.int64)
        table = code_table(known)
        profile = data.draw(st.integers(0, len(known) - 1))
        person = data.draw(st.integers(0, len(PERSON_CODES) - 1))
        bytes_ = np.arange(len(BYTES), dtype=np.int64)
        codes = bytes_ | person << PERSON_SHIFT | profile << PROFILE_SHIFT
        expected = [
            said_by_rows(int(known[profile] | PERSON_CODES[person] | BYTES[byte]), byte) for byte in range(len(BYTES))
        ]
        assert [said(code) for code in table.said[table.classes[profile, person] | bytes_].tolist()] == expected
        assert [said(code) for code in table.reasons(codes).tolist()] == expected
        assert (table.facts(codes) == (known[profile] | PERSON_CODES[person] | BYTES)).all()

    def test_a_class_stands_above_a_byte_in_sixteen_bits(self) -> None:
        table = code_table(every_profile())
        assert len(table.said) <= 1 << 16
        assert int(table.classes.max()) + len(BYTES) == len(table.said)

    def test_of_no_profile_at_all(self) -> None:
        assert len(code_table(np.empty(0, dtype=np.int64)).said) == 0


class TestWhatFewBookingsSay:
    """It is put in afterwards: the gates about it read nothing else, and a reason before them stands."""

    @given(profiles(), st.integers(0, 15), st.integers(0, 255), st.integers(0, 7))
    def test_put_in_or_asked_at_once(self, profile: int, person: int, byte: int, chosen: int) -> None:
        byte |= 1  # what is booked is recorded
        table = code_table(np.array([profile], dtype=np.int64))
        code = np.array([byte | person << PERSON_SHIFT], dtype=np.int64)
        rare = np.array([sum(fact for place, fact in enumerate(RARE) if chosen >> place & 1)], dtype=np.int64)
        expected = said_by_rows(int(profile | PERSON_CODES[person] | BYTES[byte] | rare[0]), byte)
        whole = code | table.rare(rare)
        assert said(int(reconsidered(table.reasons(code), rare)[0])) == expected
        assert said(int(table.reasons(whole)[0])) == expected
        assert int(table.facts(whole)[0]) == profile | PERSON_CODES[person] | BYTES[byte] | rare[0]

    def test_nothing_else_is_read(self) -> None:
        rare = sum(RARE)
        assert [GATES[place].id for place in RARE_GATES] == ["completion-recorded", "not-cancelled", "not-refused"]
        assert all(mask_of(GATES[place]) & ~rare == 0 for place in RARE_GATES)

    def test_triggers_look_at_the_byte_alone(self) -> None:
        byte = int(np.bitwise_or.reduce(BYTES))
        assert all(mask_of(trigger) & ~byte == 0 for trigger in TRIGGERS)
        assert CAUSES[: len(TRIGGERS)] == tuple(trigger.id for trigger in TRIGGERS)

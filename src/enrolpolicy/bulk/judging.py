"""The verdict on every candidate of an estate: which trigger fires, and which gates are shut."""

from collections.abc import Iterator
from typing import final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from enrolpolicy.bulk.answers import shut, triggers
from enrolpolicy.bulk.blocks import blocks
from enrolpolicy.bulk.codes import NOBODY
from enrolpolicy.bulk.columns import Choices, Estate, Ints
from enrolpolicy.bulk.reading import read
from enrolpolicy.bulk.terms import Nights, terms_of
from enrolpolicy.facts import Facts, facts_of
from enrolpolicy.policy import GATES, TRIGGERS
from enrolpolicy.verdict import Verdict


@final
@frozen(eq=False, kw_only=True)
class Verdicts:
    """Every candidate of an estate, by person and course (their rows), and the verdict on it.

    A candidate is a person and a course that is asked of them, recorded or booked. `trigger` is a place in `TRIGGERS`,
    or their number; `shut` has a bit for each gate, in the order of `GATES`; `facts` is the code of all that is known,
    see `enrolpolicy.facts`.
    """

    estate: Estate
    person: Ints
    course: Ints
    trigger: Choices
    shut: NDArray[np.uint32]
    facts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.person)

    def __iter__(self) -> Iterator[tuple[str, str, Verdict, Facts]]:
        """Each as the object engine has it: person, course, verdict, facts."""
        people, courses = self.estate.personnel.ids(), self.estate.courses.ids()
        columns = (self.person, self.course, self.trigger, self.shut, self.facts)
        for person, course, trigger, gates, facts in zip(*(column.tolist() for column in columns), strict=True):
            fired = TRIGGERS[trigger].id if trigger < len(TRIGGERS) else None
            closed = tuple(gate.id for place, gate in enumerate(GATES) if gates >> place & 1)
            yield people[person], courses[course], Verdict(fired, closed), facts_of(facts)


def verdicts(estate: Estate, *, on: Nights) -> Verdicts:
    """The verdict on every candidate, on one night or on each account's own: demand alone, as `enrolpolicy.decide`."""
    terms = terms_of(estate, on)
    parts: list[tuple[Ints, Ints, NDArray[np.int64]]] = []
    for block in blocks(estate, terms):
        found = read(block, terms, fully=True)
        cells = np.flatnonzero(found.reasons != NOBODY)
        facts = terms.codes.facts(found.codes(cells))
        parts.append((block.person(cells).astype(np.int32), block.course(cells).astype(np.int32), facts))
    empty = (np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int64))
    person, course, facts = (np.concatenate(columns) for columns in zip(empty, *parts, strict=True))
    return Verdicts(estate=estate, person=person, course=course, trigger=triggers(facts), shut=shut(facts), facts=facts)

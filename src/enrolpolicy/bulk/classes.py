"""What the table says of many pairs: a class for all there is to say of account, course and person, and a pair's byte.

Most rows of the policy look at settings alone or at the pair alone. Two sets of settings are of one class where the
first row of the former that is shut is the same, and so is what the other rows know of settings. There are a handful
of classes, whatever an estate holds; the rows are asked about each of them with every byte a pair can have.
"""

from typing import final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from enrolpolicy.bulk.answers import Whole, earlier, first_reasons, first_shut, mask_of
from enrolpolicy.bulk.codes import BYTES, PERSON_CODES, PERSON_SHIFT, PROFILE_SHIFT, RARE, Codes, said_of
from enrolpolicy.bulk.columns import Choices
from enrolpolicy.policy import GATES, TRIGGERS

_PAIR = int(np.bitwise_or.reduce(BYTES))
"""The facts of which a pair's byte says anything."""
_OF_PAIRS = tuple(place for place, gate in enumerate(GATES) if mask_of(gate) & _PAIR)
_OF_SETTINGS = tuple(place for place, gate in enumerate(GATES) if not mask_of(gate) & _PAIR)
_KNOWN = int(np.bitwise_or.reduce([mask_of(row) for row in (*(GATES[place] for place in _OF_PAIRS), *TRIGGERS)]))
"""What rows that look at the pair know."""
_PLACES = len(GATES).bit_length()


@final
@frozen(eq=False)
class CodeTable:
    """What codes of an estate's pairs stand for, and what the table says of them.

    `profiles` are the facts that each profile stands for. `classes` has the class of each profile and person's digit,
    shifted to stand above a byte; `said` says what is said of the two together.
    """

    profiles: Whole
    classes: NDArray[np.uint16]
    said: Choices
    rare_shift: int

    def facts(self, codes: Whole) -> Whole:
        """The codes of `enrolpolicy.facts` that codes of pairs stand for."""
        found: Whole = (
            BYTES[codes & 0xFF] | PERSON_CODES[codes >> PERSON_SHIFT & 15] | self.profiles[self._profile(codes)]
        )
        for place, fact in enumerate(RARE, self.rare_shift):
            found |= (codes >> place & 1) * fact
        return found

    def _profile(self, codes: Whole) -> Whole:
        return codes >> PROFILE_SHIFT & ((1 << (self.rare_shift - PROFILE_SHIFT)) - 1)

    def rare(self, facts: Whole) -> Codes:
        """What codes have from what few bookings say, as the object engine has it."""
        found = np.zeros(len(facts), dtype=np.uint32)
        for place, fact in enumerate(RARE, self.rare_shift):
            found |= ((facts & fact) != 0).astype(np.uint32) << np.uint32(place)
        return found

    def reasons(self, codes: Whole) -> Choices:
        """For each code, what the table says: `NOBODY`, `ENROLS`, or the first reason against it."""
        found: Choices = self.said[self.classes[self._profile(codes), codes >> PERSON_SHIFT & 15] | codes & 0xFF]
        rare = np.flatnonzero(codes >> self.rare_shift)
        if len(rare):
            found[rare] = said_of(first_reasons(self.facts(codes[rare])), codes[rare])
        return found


def code_table(profiles: Whole) -> CodeTable:
    """The table for some profiles, with whoever there may be."""
    settings = (profiles[:, None] | PERSON_CODES).reshape(-1)
    kinds = (settings & _KNOWN) << _PLACES | first_shut(settings, _OF_SETTINGS)
    different, which = np.unique(kinds, return_inverse=True)
    known, of_known = np.unique(different >> _PLACES, return_inverse=True)
    of_pairs = first_reasons((known[:, None] | BYTES).reshape(-1), _OF_PAIRS).reshape(len(known), len(BYTES))
    of_settings = (different & (1 << _PLACES) - 1).astype(np.uint8)
    return CodeTable(
        profiles=profiles,
        classes=(which.astype(np.uint16) << np.uint16(8)).reshape(len(profiles), len(PERSON_CODES)),
        said=said_of(earlier(of_pairs[of_known], of_settings[:, None]), np.arange(len(BYTES))).reshape(-1),
        rare_shift=PROFILE_SHIFT + max(1, (len(profiles) - 1).bit_length()),
    )

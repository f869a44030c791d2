"""Values picked from columns in the ways that cost least, which plain indexing does not.

Measured with numpy 2: an index of 32 bits is converted first, and one that may be out of bounds or negative is looked
at twice; a choice between two columns waits for every guess of the processor that was wrong.
"""

from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from enrolpolicy.bulk.columns import Choices, Flags, Ints

_Number = TypeVar("_Number", bound=np.generic)


def at(values: NDArray[_Number], places: NDArray[np.intp]) -> NDArray[_Number]:
    """The values at some places, all of which are there."""
    return values.take(places, mode="clip")


_AT_ONCE = 1 << 15


def looked_up(table: Choices, places: NDArray[np.uint16]) -> Choices:
    """What a table says at many places, some at a time, so that they stay in the cache when they are converted."""
    found = np.empty(len(places), dtype=np.uint8)
    for first in range(0, len(places), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        np.take(table, places[some], out=found[some], mode="clip")
    return found


def either(flags: Flags, one: Ints | int, other: Ints | int) -> Ints:
    """One where a flag is set, the other elsewhere, without a branch."""
    mask = np.negative(flags.view(np.int8)).astype(np.int32)
    return cast("Ints", (one ^ other) & mask ^ other)


def histogram(values: Choices, size: int) -> NDArray[np.int64]:
    """How often each number below `size` is there; two neighbours are counted as one number, in half the time."""
    pairs = np.bincount(values[: len(values) & ~1].view(np.uint16), minlength=size << 8).reshape(-1, 256)
    found: NDArray[np.int64] = pairs.sum(axis=0)[:size] + pairs.sum(axis=1)[:size]
    if len(values) & 1:
        found[values[-1]] += 1
    return found

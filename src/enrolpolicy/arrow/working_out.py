"""What an estate has worked out from texts, worked out in Arrow: for each distinct text once, or all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pyarrow import types

from enrolpolicy.arrow.kernels import matching
from enrolpolicy.arrow.texts import bytes_of, codes, each
from enrolpolicy.bulk.assembly import DERIVED, reachable
from enrolpolicy.candidate import USABLE_ADDRESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from enrolpolicy.arrow.kernels import Array

    WorkOut = Callable[[Array], NDArray[Any]]

# In ASCII, Arrow's expressions and Python's mean the same; beyond, there are blanks that only Python knows.
_PATTERN = rf"\A(?:{USABLE_ADDRESS.pattern})\z"


def reachable_in_arrow(emails: Array) -> NDArray[np.bool_]:
    """For each address, whether an invitation can be sent there."""
    if types.is_dictionary(emails.type):
        places, distinct = codes(emails)
        return np.append(reachable_in_arrow(distinct), False)[places]
    if (bytes_of(emails) > 0x7F).any():
        return reachable(cast("list[str | None]", emails.to_pylist()))
    return matching(emails, _PATTERN)


def _by_distinct(work_out: Callable[[Any], Any]) -> WorkOut:
    return lambda texts: each(texts, work_out)


WORKED_OUT: Mapping[str, Mapping[str, tuple[str, WorkOut]]] = {
    table: {
        column: (source, reachable_in_arrow if work_out is reachable else _by_distinct(work_out))
        for table_, column, source, work_out in DERIVED
        if table_ == table
    }
    for table, _, _, _ in DERIVED
}
"""What is worked out, by table and column: the column of texts it comes from, and how."""

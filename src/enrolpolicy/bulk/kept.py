"""What is kept of an estate from night to night: rows, what each pair came to, and what that adds up to."""

from typing import final

import numpy as np
from attrs import define
from numpy.typing import NDArray

from enrolpolicy.bookings import OPEN
from enrolpolicy.bulk.answers import REASONS
from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.codes import Codes
from enrolpolicy.bulk.columns import NONE, Estate, Table
from enrolpolicy.bulk.coming import FAR
from enrolpolicy.bulk.demand import DEMAND, UPKEEP, Columns, together
from enrolpolicy.bulk.growing import Growing, growing
from enrolpolicy.bulk.holding import Holding, holding
from enrolpolicy.bulk.terms import Nights, Terms, terms_of
from enrolpolicy.model import EnrolmentStatus

WANTED: Columns = {**DEMAND, "until": np.int32, "cell": np.int64}
_OPEN = np.array([status in OPEN for status in EnrolmentStatus])
_SUMS = ("people", "reserved", "cancellable")


@final
@define(eq=False, kw_only=True)
class Kept:
    """All of that; changed in place.

    `cells` has, by pair, its `code`, the `cycle` and expiry (`until`) of what counts, the date it is `due`, and whether
    it is `entangled`: what it comes to then does not follow from these alone. `people` has the first of each person's
    cells (`base`), what their codes have from them (`digits`), and what they add to the `sums` of their account:
    people, reserved credits, cancellable bookings. `strays` are the open enrolments of those who are not there, by
    account and person. `wanted` is the demand, `kept_up` what is done about bookings. `soon` has the cells that are
    due until `known_until`.
    """

    held: Holding
    estate: Estate
    terms: Terms
    cells: Growing
    people: Growing
    sums: dict[str, NDArray[np.int64]]
    strays: dict[tuple[int, str], int]
    counts: NDArray[np.int64]
    wanted: Table
    kept_up: Table
    soon: Rows
    known_until: int = NONE


def begun(estate: Estate, on: Nights) -> Kept:
    """What is kept of an estate of which nobody was read yet."""
    held = holding(estate)
    whole, terms = held.estate(), terms_of(estate, on)
    widths = np.diff(terms.starts["courses"])[whole.personnel.ints("account")].astype(np.int64)
    size = len(estate.accounts)
    return Kept(
        held=held,
        estate=whole,
        terms=terms,
        cells=growing(untouched(int(widths.sum()))),
        people=growing(unread(np.cumsum(widths) - widths, terms.digits)),
        sums={name: np.zeros(size, dtype=np.int64) for name in _SUMS},
        strays=_strays(estate),
        counts=np.zeros((size, len(REASONS)), dtype=np.int64),
        wanted=together(WANTED, []),
        kept_up=together(UPKEEP, []),
        soon=np.empty(0, dtype=np.intp),
    )


def _strays(estate: Estate) -> dict[tuple[int, str], int]:
    """The open enrolments of people who are not there, by account and person."""
    table = estate.strays["enrolments"]
    rows = np.flatnonzero(_OPEN[table.choices("status")]).tolist()
    keys = [(int(table.ints("account")[row]), table.ids("person")[row]) for row in rows]
    there = set(zip(estate.personnel.ints("account").tolist(), estate.personnel.ids(), strict=True)) if keys else set()
    return {key: keys.count(key) for key in set(keys) - there}


def unread(base: NDArray[np.int64], digits: Codes) -> Table:
    """People by the first of their cells, who add nothing yet."""
    kept = {name: np.zeros(len(base), dtype=np.int64) for name in _SUMS}
    return Table(len(base), {"base": base, "digits": digits, **kept})


def untouched(size: int) -> Table:
    """So many cells that are nobody's."""
    return Table(
        size,
        {
            "code": np.zeros(size, dtype=np.uint32),
            "cycle": np.full(size, NONE, dtype=np.int32),
            "until": np.full(size, NONE, dtype=np.int32),
            "due": np.full(size, FAR, dtype=np.int32),
            "entangled": np.zeros(size, dtype=np.bool_),
        },
    )

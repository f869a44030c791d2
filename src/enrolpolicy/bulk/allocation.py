"""Who of the demand is served, and who waits, and for what (rule 4); as `enrolpolicy.planner` does, over columns."""

from typing import Any, final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import EPOCH, Rows, picked
from enrolpolicy.bulk.columns import NONE, Estate, Ints, Table, Values
from enrolpolicy.bulk.demand import CAUSES, where
from enrolpolicy.bulk.snapshots import cycle_of, day_of
from enrolpolicy.bulk.terms import Terms
from enrolpolicy.model import EnrolmentStatus, Level
from enrolpolicy.planner import RESERVING, Demand, spread_until
from enrolpolicy.renewal import effective_lead

WAITS_FOR = ("spread", "credits")
"""Why anybody waits; the `because` of a deferral is a place among them."""
UNMETERED = np.iinfo(np.int64).max
"""More credits than anybody asks for."""
_RESERVING = np.array([status in RESERVING for status in EnrolmentStatus])


@final
@frozen(eq=False)
class Allocated:
    """Those served, and those who wait: `because`, `until` (spread) and `shortfall` (credits), by person and course."""

    served: Table
    deferred: Table


def allocate(demand: Table, on: Ints, credits: NDArray[np.int64]) -> Allocated:
    """Allocate the demand of whole accounts, which stands by account, person and course.

    `on` and `credits` (those available; `UNMETERED`: as many as are asked for) are by account; `demand` has `until`,
    the day until which the spread holds it.
    """
    account, until = demand.ints("account"), demand.ints("until")
    held = on[account] < until
    heads = np.bincount(account, minlength=len(on))
    shortfall = shortfalls(heads, np.where(held, 0, demand.ints("credits")), ranks(demand), credits)
    waits = held | (shortfall > 0)
    late = np.flatnonzero(waits)
    names = ("account", "person", "course", "cycle_on")
    columns = {name: picked(demand.columns[name], late) for name in names} | deferral(until[late], shortfall[late])
    return Allocated(where(demand, ~waits), Table(len(late), columns))


def deferral(until: Ints, shortfall: NDArray[np.int64]) -> dict[str, Values]:
    """What those who wait wait for: credits, how many, or the spread, until when."""
    spread = shortfall == 0
    return {
        "because": np.where(spread, 0, 1).astype(np.uint8),
        "until": np.where(spread, until, NONE).astype(np.int32),
        "shortfall": shortfall,
    }


def shortfalls(heads: NDArray[np.int64], cost: Ints, rank: Ints, credits: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many credits more each would need; 0 for who can be served, and for who costs nothing.

    So many rows (`heads`) and available `credits` are each account's. Rows stand by account, person and course.
    """
    found = np.zeros(len(cost), dtype=np.int64)
    asked = np.zeros(len(heads), dtype=np.int64)
    some = np.flatnonzero(heads)
    asked[some] = np.add.reduceat(cost, _firsts(heads)[some], dtype=np.int64) if len(some) else 0
    short = (asked > credits) & (asked > 0)
    rows = np.flatnonzero((cost > 0) & np.repeat(short, heads))
    account = np.repeat(np.arange(len(heads), dtype=_smallest(len(heads))), heads)[rows]
    heads = np.bincount(account, minlength=len(heads))
    # Numbers of two bytes are sorted in no time.
    rows = rows[np.lexsort((_dense(rank[rows]), account))]
    asked = np.cumsum(cost[rows].astype(np.int64))
    payable = np.concatenate(([0], asked))[_firsts(heads)] + np.where(short, credits, 0)
    asked -= np.repeat(payable, heads)
    found[rows] = np.maximum(asked, 0)
    return found


def _firsts(heads: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each account's rows begin."""
    firsts: NDArray[np.int64] = np.cumsum(heads) - heads
    return firsts


_DAYS = 22
"""A day has so many bits."""


def ranks(demand: Table) -> Ints:
    """Renewals first, then what is required, then what expires first; equals stand by person and course."""
    expires_on = demand.ints("expires_on")
    missing = expires_on == NONE
    day = np.where(missing, 0, expires_on + np.int32(EPOCH))
    found: Ints = day + (missing * 2 + ~demand.flags("required")).astype(np.int32) * np.int32(1 << _DAYS)
    return found


def _dense(rank: Ints) -> NDArray[np.generic]:
    """The same order in smaller numbers: days are counted from the first there is."""
    day, class_ = rank & ((1 << _DAYS) - 1), rank >> _DAYS
    # Where there is no day stands 0, which less one is the greatest number there is.
    day -= np.int32((day.view(np.uint32) - 1).min(initial=1 << _DAYS))
    np.maximum(day, 0, out=day)
    reach = int(day.max(initial=0)) + 1
    class_ *= reach
    class_ += day
    return class_.astype(_smallest(4 * reach))


def _smallest(numbers: int) -> "np.dtype[np.unsignedinteger[Any]]":
    """The smallest kind that so many numbers fit in."""
    return np.min_scalar_type(numbers)


def reserved(estate: Estate, rows: slice | Rows = slice(None)) -> NDArray[np.int64]:
    """What each of some enrolments has reserved of its account's credits."""
    table = estate.enrolments
    cost = estate.courses.ints("credit_cost")[table.ints("course")[rows]]
    return np.where(_RESERVING[table.choices("status")[rows]], cost, 0).astype(np.int64)


def available(estate: Estate, reserved: NDArray[np.int64]) -> NDArray[np.int64]:
    """The credits of each account less what is reserved of them."""
    credits = estate.accounts.ints("credits")
    return np.where(credits == NONE, UNMETERED, credits - reserved)


# The spread


def spread(estate: Estate, terms: Terms, demand: Table) -> Table:
    """Demand with `until` beside it."""
    return Table(len(demand), {**demand.columns, "until": _until(estate, terms, demand)})


def _until(estate: Estate, terms: Terms, demand: Table) -> Ints:
    """The day until which each renewal is held; `NONE` where it is not."""
    spread = estate.accounts.ints("spread_days")[demand.ints("account")]
    held = np.full(len(demand), NONE, dtype=np.int32)
    renewed = CAUSES.index("expiring")
    for row in np.flatnonzero((spread > 0) & (demand.choices("because") == renewed)).tolist():
        until = spread_until(demand_of(estate, terms, demand, row), int(spread[row]))
        if until is not None:
            held[row] = until.toordinal() - EPOCH
    return held


def demand_of(estate: Estate, terms: Terms, demand: Table, row: int) -> Demand:
    """A row of the demand as the planner has it."""
    course = int(demand.ints("course")[row])
    cycle_on, expires = int(demand.ints("cycle_on")[row]), int(demand.ints("expires_on")[row])
    expires_on = None if expires == NONE else day_of(expires)
    opens_on = None
    if expires_on is not None:
        opens_on = day_of(expires - effective_lead(day_of(cycle_on), expires_on, int(terms.lead[course])))
    return Demand(
        account=estate.accounts.ids("account")[int(demand.ints("account")[row])],
        person=estate.personnel.ids()[int(demand.ints("person")[row])],
        course=estate.courses.ids()[course],
        cycle=cycle_of(cycle_on),
        attempt=int(demand.ints("attempt")[row]),
        because=CAUSES[int(demand.choices("because")[row])],
        level=Level.REQUIRED if demand.flags("required")[row] else Level.OPTIONAL,
        expires_on=expires_on,
        opens_on=opens_on,
        credits=int(demand.ints("credits")[row]),
    )

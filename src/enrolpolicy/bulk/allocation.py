"""Who of the demand is served, and who waits, and for what (rule 4); as `enrolpolicy.planner` does, over columns."""

from typing import final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import EPOCH, Rows
from enrolpolicy.bulk.columns import NONE, Estate, Flags, Ints, Table, Values
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
    waits, shortfall = waiting(demand, on, credits)
    late, short = where(demand, waits), shortfall[waits]
    names = ("account", "person", "course", "cycle_on")
    columns = {name: late.columns[name] for name in names} | deferral(late.ints("until"), short)
    return Allocated(where(demand, ~waits), Table(len(late), columns))


def waiting(demand: Table, on: Ints, credits: NDArray[np.int64]) -> tuple[Flags, NDArray[np.int64]]:
    """Who of the demand waits, and the credits that are short for each; the same arguments."""
    account, cost = demand.ints("account"), demand.ints("credits")
    held = on[account] < demand.ints("until")
    wanted = np.bincount(account, weights=np.where(held, 0, cost), minlength=len(credits))
    short = (wanted > credits) & (wanted > 0)
    rows = np.flatnonzero(short[account] & ~held & (cost > 0))  # what is free always passes
    rows = rows[np.lexsort((_rank(demand, rows), _narrow(account[rows])))]
    theirs, asked = account[rows], np.cumsum(cost[rows], dtype=np.int64)
    first = np.searchsorted(theirs, np.arange(len(credits), dtype=np.int32))
    payable = np.append(0, asked)[first] + np.where(short, credits, 0)
    shortfall = np.zeros(len(demand), dtype=np.int64)
    shortfall[rows] = np.maximum(asked - payable[theirs], 0)
    return held | (shortfall > 0), shortfall


def deferral(until: Ints, shortfall: NDArray[np.int64]) -> dict[str, Values]:
    """What each of those who wait waits for: the spread, until when, or credits, how many."""
    spread = shortfall == 0
    return {
        "because": np.where(spread, 0, 1).astype(np.uint8),
        "until": np.where(spread, until, NONE).astype(np.int32),
        "shortfall": shortfall,
    }


def _rank(demand: Table, rows: Rows) -> NDArray[np.generic]:
    """Renewals first, then what is required, then what expires first; among equals, rows stand by person and course."""
    expires_on, required = demand.ints("expires_on")[rows], demand.flags("required")[rows]
    missing = expires_on == NONE
    first = expires_on.min(where=~missing, initial=np.iinfo(np.int32).max)
    day = np.where(missing, 0, expires_on - np.int64(first))
    days = int(day.max(initial=0)) + 1
    return _narrow(day + days * ~required + 2 * days * missing)


def _narrow(numbers: NDArray[np.int64] | Ints) -> NDArray[np.generic]:
    """Numbers from 0 on, as small as they can be: those of two bytes are sorted in no time."""
    narrowed: NDArray[np.generic] = numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
    return narrowed


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

"""Who of the demand is served, and who waits, and for what (rule 4); as `enrolpolicy.planner` does, over columns."""

from datetime import date
from typing import final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import EPOCH, Rows
from enrolpolicy.bulk.columns import NONE, UNKNOWN, Estate, Flags, Ints, Table
from enrolpolicy.bulk.demand import CAUSES, where
from enrolpolicy.bulk.picking import either
from enrolpolicy.bulk.snapshots import cycle_of, day_of
from enrolpolicy.bulk.terms import Terms
from enrolpolicy.model import EnrolmentStatus, Level
from enrolpolicy.planner import RESERVING, Demand, spread_until
from enrolpolicy.renewal import effective_lead

WAITS_FOR = ("spread", "credits")
"""Why anybody waits; the `because` of a deferral is a place among them."""
UNMETERED = np.iinfo(np.int64).max
"""More credits than anybody asks for."""
_DAYS = date.max.toordinal().bit_length()
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
    until = demand.ints("until")
    held = on[demand.ints("account")] < until
    shortfall = _shortfall(demand, held, credits)
    waits = held | (shortfall > 0)
    late = where(demand, waits)
    names = ("account", "person", "course", "cycle_on")
    deferred = {
        **{name: late.columns[name] for name in names},
        "because": np.where(held, 0, 1).astype(np.uint8)[waits],
        "until": np.where(held, until, NONE).astype(np.int32)[waits],
        "shortfall": shortfall[waits],
    }
    return Allocated(where(demand, ~waits), Table(len(late), deferred))


def _shortfall(demand: Table, held: Flags, available: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many credits more each would need; 0 for who can be served."""
    account, cost = demand.ints("account"), demand.ints("credits")
    found = np.zeros(len(demand), dtype=np.int64)
    wanted = np.bincount(account, weights=np.where(held, 0, cost), minlength=len(available))
    short = (wanted > available) & (wanted > 0)
    rows = np.flatnonzero(short[account] & ~held)
    if not len(rows):
        return found
    rows = rows[_ranked(demand, rows)]
    account, cost = account[rows], cost[rows]
    asked = np.cumsum(cost, dtype=np.int64)
    begins = np.flatnonzero(np.diff(account, prepend=UNKNOWN))
    before = np.repeat(asked[begins] - cost[begins], np.diff(begins, append=len(rows)))
    found[rows] = np.where(cost > 0, np.maximum(asked - before - available[account], 0), 0)
    return found


def _ranked(demand: Table, rows: Rows) -> Rows:
    """By account, renewals first, then what is required, then what expires first, then by person and course.

    Rows stand by account, person and course, so the last is their place. All of it is one number, as numbers are
    sorted far quicker than their places are.
    """
    account, expires_on = demand.ints("account")[rows], demand.ints("expires_on")[rows]
    missing = expires_on == NONE
    rank = account.astype(np.int64) << 2
    rank |= missing.astype(np.int64) << 1 | ~demand.flags("required")[rows]
    rank = (rank << _DAYS) + either(missing, 0, expires_on + EPOCH)
    width = len(rows).bit_length()
    if int(rank.max()).bit_length() + width > np.iinfo(np.int64).bits - 1:
        return np.argsort(rank, kind="stable")
    return np.sort(rank << width | np.arange(len(rows))) & ((1 << width) - 1)


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

"""The plan of an estate: its tables, and each account's plan as the planner itself would have made it."""

from collections.abc import Iterator
from typing import final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from enrolpolicy.bookings import OPEN
from enrolpolicy.bulk.allocation import allocate, available, reserved, spread
from enrolpolicy.bulk.answers import REASONS
from enrolpolicy.bulk.assembly import taken
from enrolpolicy.bulk.blocks import blocks
from enrolpolicy.bulk.columns import NONE, UNKNOWN, Estate, Flags, Ints, Table, Values
from enrolpolicy.bulk.demand import (
    BOOKED,
    ENROLLING,
    STAYS,
    demanded,
    enrolling,
    looked_after,
    ours_and_booked,
    tally,
    together,
    upkeep,
)
from enrolpolicy.bulk.memory import keep_what_is_freed
from enrolpolicy.bulk.noticing import noticed
from enrolpolicy.bulk.picking import at
from enrolpolicy.bulk.reading import read
from enrolpolicy.bulk.snapshots import account_of, cycle_of
from enrolpolicy.bulk.terms import Nights, Terms, terms_of
from enrolpolicy.candidate import enrolment_key
from enrolpolicy.model import EnrolmentStatus
from enrolpolicy.planner import Reached, exceeded
from enrolpolicy.plans import Finding

ENROL, CANCEL, INVITE = range(3)
ACTION_TYPES = ("enrol", "cancel", "invite")
"""What an action's `type` counts from."""


@final
@frozen(eq=False, kw_only=True)
class EstatePlan:
    """The plans of an estate's accounts.

    `on` is each account's night. `actions` stand by account, then as `Plan.actions` has them: `type` (a place in
    `ACTION_TYPES`), `person`, `course` and `enrolment` (rows of the estate's tables, -1: none), `cycle_on`, `attempt`,
    `because` (a place in `CAUSES`), `expires_on`, `credits`. `deferred` has `until` and `shortfall`, and `because` is a
    place in `WAITS_FOR`. `not_enrolled` counts, by account, the first reasons of those left out, in the order of
    `REASONS`. `guards` and `findings` are by account. `standing`: the estate is that of a `Standing`, among whose rows
    are some that are nobody's.
    """

    estate: Estate
    on: Ints
    actions: Table
    deferred: Table
    not_enrolled: NDArray[np.int64]
    guards: tuple[tuple[str, ...], ...]
    findings: tuple[tuple[Finding, ...], ...] = field(repr=False)
    standing: bool = False

    @property
    def applyable(self) -> tuple[bool, ...]:
        """Whether each account's plan may be carried out: no guard was tripped."""
        return tuple(not tripped for tripped in self.guards)

    def keys(self) -> Iterator[str | None]:
        """The key of each action that enrols; None for the others."""
        estate, table = self.estate, self.actions
        accounts, people, courses = estate.accounts.ids("account"), estate.personnel.ids(), estate.courses.ids()
        names = ("type", "account", "person", "course", "cycle_on", "attempt")
        columns = [table.ints(name).tolist() for name in names]
        for kind, account, person, course, cycle_on, attempt in zip(*columns, strict=True):
            if kind != ENROL:
                yield None
            else:
                yield enrolment_key(accounts[account], people[person], courses[course], cycle_of(cycle_on), attempt)


def plan_estate(estate: Estate, *, on: Nights, findings: bool = True) -> EstatePlan:
    """The plan of every account of an estate, on one night or each on its own (by account id).

    What `enrolpolicy.plan` answers for each account, in columns. Without `findings` none are looked for. Raises
    `InvalidValue` where an account has no night.
    """
    keep_what_is_freed()
    terms = terms_of(estate, on)
    wanted, kept_up, counts = _survey(estate, terms)
    sums = sums_of(estate)
    allocated = allocate(wanted, terms.on, sums.credits)
    del wanted  # as large as all that comes of it
    actions = _actions(allocated.served, kept_up)
    return EstatePlan(
        estate=estate,
        on=terms.on,
        actions=actions,
        deferred=allocated.deferred,
        not_enrolled=counts,
        guards=guards_of(estate, actions, sums),
        findings=noticed(estate, terms.on) if findings else ((),) * len(estate.accounts),
    )


def _survey(estate: Estate, terms: Terms) -> tuple[Table, Table, NDArray[np.int64]]:
    """What all pairs ask for: the demand, what is done about bookings, and the counts of those left out."""
    counts = np.zeros((len(estate.accounts), len(REASONS)), dtype=np.int64)
    asked: list[Table] = []
    booked: list[Table] = []
    for block in blocks(estate, terms):
        here = read(block, terms)
        tally(here, counts)
        asked.append(enrolling(here))
        booked.append(looked_after(here))
    found = together(ENROLLING, asked)
    asked.clear()
    wanted = spread(estate, terms, demanded(estate, found))
    kept_up = upkeep(estate, together(BOOKED, booked))
    order = np.lexsort([kept_up.ints(name) for name in ("enrolment", "course", "person")])
    return wanted, taken(kept_up, order), counts


@final
@frozen(eq=False, kw_only=True)
class Sums:
    """What is added up by account: `credits` available, `cancellable` bookings; `deserted`: open ones, and nobody."""

    credits: NDArray[np.int64]
    cancellable: NDArray[np.int64]
    deserted: Flags


def sums_of(estate: Estate) -> Sums:
    """Add them up."""
    size, account = len(estate.accounts), estate.enrolments.ints("account")
    held = np.bincount(account, weights=reserved(estate), minlength=size).astype(np.int64)
    strays = estate.strays["enrolments"]
    open_ = np.array([status in OPEN for status in EnrolmentStatus])[strays.choices("status")]
    people = np.bincount(estate.personnel.ints("account"), minlength=size)
    return Sums(
        credits=available(estate, held),
        cancellable=np.bincount(account[ours_and_booked(estate.enrolments)], minlength=size),
        deserted=(people == 0) & (np.bincount(strays.ints("account")[open_], minlength=size) > 0),
    )


def _actions(served: Table, kept_up: Table) -> Table:
    """All that is done: by account, then enrolments, cancellations and invitations, each by person and course."""
    tables = served, kept_up
    stays = kept_up.choices("because") == STAYS
    kinds = np.concatenate((np.full(len(served), ENROL), np.where(stays, INVITE, CANCEL))).astype(np.uint8)
    order = np.concatenate([table.ints("account") for table in tables]) * np.int64(len(ACTION_TYPES)) + kinds
    # Numbers of 16 bits are sorted in one go.
    smallest = np.min_scalar_type(int(order.max(initial=0)))
    rows = np.argsort(order.astype(smallest), kind="stable")
    columns: dict[str, Values] = {"type": kinds[rows]}
    for name, absent in ACTION.items():
        parts = [table.columns.get(name, np.full(len(table), absent, dtype=np.int32)) for table in tables]
        columns[name] = at(np.concatenate([np.asarray(part, dtype=np.int32) for part in parts]), rows)
    return Table(len(kinds), columns)


ACTION = {
    "account": UNKNOWN, "person": UNKNOWN, "course": UNKNOWN, "cycle_on": NONE, "attempt": 0, "because": STAYS,
    "expires_on": NONE, "credits": 0, "enrolment": UNKNOWN,
}  # fmt: skip
"""What an action has beside its type, and what stands in where it has it not."""


def guards_of(estate: Estate, actions: Table, sums: Sums) -> tuple[tuple[str, ...], ...]:
    """The guards that each account's plan trips."""
    accounts, size = estate.accounts, len(estate.accounts)
    guarded = ~np.isnan(accounts.fractions("max_cancelled_fraction"))
    for name in ("max_enrolments", "max_credits", "max_cancellations"):
        guarded |= accounts.ints(name) != NONE
    found: list[tuple[str, ...]] = [()] * size
    if not (guarded | sums.deserted).any():
        return tuple(found)
    kind, account = actions.choices("type"), actions.ints("account")
    enrols, cancels = (np.bincount(account[kind == one], minlength=size) for one in (ENROL, CANCEL))
    credits = np.bincount(account, weights=actions.ints("credits"), minlength=size)
    for row in np.flatnonzero(guarded | sums.deserted).tolist():
        reached = Reached(
            enrolments=int(enrols[row]),
            credits=int(credits[row]),
            cancellations=int(cancels[row]),
            cancellable=int(sums.cancellable[row]),
        )
        found[row] = exceeded(account_of(estate, row).guards, reached, deserted=bool(sums.deserted[row]))
    return tuple(found)

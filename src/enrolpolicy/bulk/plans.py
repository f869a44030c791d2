"""An estate's plan as the plans of its accounts: the very values that the object engine makes."""

from collections.abc import Mapping
from itertools import groupby

from enrolpolicy.bulk.allocation import WAITS_FOR
from enrolpolicy.bulk.answers import REASONS
from enrolpolicy.bulk.columns import NONE, Table
from enrolpolicy.bulk.demand import CAUSES
from enrolpolicy.bulk.planning import CANCEL, ENROL, EstatePlan
from enrolpolicy.bulk.snapshots import cycle_of, day_of, snapshot_of
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Snapshot
from enrolpolicy.plans import Action, Cancel, Counts, Deferred, Enrol, Invite, Plan


def plans_of(found: EstatePlan, sources: Mapping[str, Snapshot] | None = None) -> tuple[Plan, ...]:
    """The plan of each account, by account id; equal to what `enrolpolicy.plan` makes of it.

    `sources` are the snapshots planned from, by account id; without them a plan's source is made of the columns, which
    hold instants in UTC, whatever offset they were written with. Raises `InvalidValue` for the plan of a `Standing`
    without them.
    """
    if sources is None and found.standing:
        raise InvalidValue("sources", "must be given for a plan of a `Standing`, which does not keep whole snapshots")
    actions, deferred = _by_account(found.actions), _by_account(found.deferred)
    ids, keys = found.estate.accounts.ids("account"), list(found.keys())
    return tuple(
        _plan(
            found,
            account,
            tuple(_action(found, row, keys[row]) for row in actions.get(account, ())),
            tuple(_deferred(found, row) for row in deferred.get(account, ())),
            snapshot_of(found.estate, account) if sources is None else sources[ids[account]],
        )
        for account in range(len(ids))
    )


def _by_account(table: Table) -> dict[int, list[int]]:
    accounts = table.ints("account").tolist()
    return {account: list(rows) for account, rows in groupby(range(len(accounts)), key=accounts.__getitem__)}


def _plan(
    found: EstatePlan, account: int, actions: tuple[Action, ...], deferred: tuple[Deferred, ...], source: Snapshot
) -> Plan:
    counts = found.not_enrolled[account].tolist()
    kinds = [type(action) for action in actions]
    return Plan(
        account=source.account.id,
        on=day_of(int(found.on[account])),
        actions=actions,
        deferred=deferred,
        findings=found.findings[account],
        guards=found.guards[account],
        counts=Counts(
            enrol=kinds.count(Enrol),
            cancel=kinds.count(Cancel),
            invite=kinds.count(Invite),
            deferred=len(deferred),
            not_enrolled=tuple((id, count) for id, count in zip(REASONS, counts, strict=True) if count),
        ),
        source=source,
    )


def _action(found: EstatePlan, row: int, key: str | None) -> Action:
    estate, table = found.estate, found.actions
    person = estate.personnel.ids()[int(table.ints("person")[row])]
    course = estate.courses.ids()[int(table.ints("course")[row])]
    kind, cause = int(table.choices("type")[row]), int(table.ints("because")[row])
    if kind == ENROL:
        expires_on = int(table.ints("expires_on")[row])
        return Enrol(
            person=person,
            course=course,
            cycle=cycle_of(int(table.ints("cycle_on")[row])),
            attempt=int(table.ints("attempt")[row]),
            because=CAUSES[cause],
            expires_on=None if expires_on == NONE else day_of(expires_on),
            credits=int(table.ints("credits")[row]),
            key=key or "",
        )
    enrolment = estate.enrolments.ids()[int(table.ints("enrolment")[row])]
    if kind == CANCEL:
        return Cancel(enrolment=enrolment, person=person, course=course, because=CAUSES[cause])
    return Invite(enrolment=enrolment, person=person, course=course)


def _deferred(found: EstatePlan, row: int) -> Deferred:
    estate, table = found.estate, found.deferred
    until, shortfall = int(table.ints("until")[row]), int(table.ints("shortfall")[row])
    return Deferred(
        person=estate.personnel.ids()[int(table.ints("person")[row])],
        course=estate.courses.ids()[int(table.ints("course")[row])],
        cycle=cycle_of(int(table.ints("cycle_on")[row])),
        because=WAITS_FOR[int(table.choices("because")[row])],
        until=None if until == NONE else day_of(until),
        shortfall=shortfall or None,
    )

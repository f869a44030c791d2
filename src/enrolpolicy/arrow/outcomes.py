"""The plan of an estate as Arrow tables: actions, what was put off, what was noticed, and a line for each account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

from enrolpolicy.arrow.exporting import ids_of, numbers
from enrolpolicy.bulk.allocation import WAITS_FOR
from enrolpolicy.bulk.answers import REASONS
from enrolpolicy.bulk.columns import Kind
from enrolpolicy.bulk.demand import CAUSES
from enrolpolicy.bulk.planning import ACTION_TYPES, ENROL, EstatePlan
from enrolpolicy.bulk.snapshots import cycle_of
from enrolpolicy.bulk.verdicts import Verdicts
from enrolpolicy.policy import GATES, TRIGGERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from enrolpolicy.arrow.layout import Array

ACTIONS = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("person", pa.string(), nullable=False),
        pa.field("course", pa.string(), nullable=False),
        pa.field("cycle", pa.string()),
        pa.field("attempt", pa.int32()),
        pa.field("because", pa.string()),
        pa.field("expires_on", pa.date32()),
        pa.field("credits", pa.int32()),
        pa.field("key", pa.string()),
        pa.field("enrolment", pa.string()),
    ]
)
"""One row for each action, by account, then in the order of `Plan.actions`; null where an action has no such field."""

DEFERRED = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("person", pa.string(), nullable=False),
        pa.field("course", pa.string(), nullable=False),
        pa.field("cycle", pa.string(), nullable=False),
        pa.field("because", pa.string(), nullable=False),
        pa.field("until", pa.date32()),
        pa.field("shortfall", pa.int64()),
    ]
)
FINDINGS = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("account", "level", "code", "path", "message")]
)
SUMMARY = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("on", pa.date32(), nullable=False),
        pa.field("applyable", pa.bool_(), nullable=False),
        pa.field("guards", pa.list_(pa.field("item", pa.string(), nullable=False)), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in (*ACTION_TYPES, "deferred")),
        pa.field(
            "not_enrolled",
            pa.struct([pa.field(reason, pa.int64(), nullable=False) for reason in REASONS]),
            nullable=False,
        ),
    ]
)
"""One row for each account: whether its plan may be carried out, and how many of each, as a plan's `counts` has them."""

CANDIDATES = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("person", pa.string(), nullable=False),
        pa.field("course", pa.string(), nullable=False),
        pa.field("trigger", pa.string()),
        pa.field("shut", pa.list_(pa.field("item", pa.string(), nullable=False)), nullable=False),
    ]
)
"""One row for each candidate: the trigger that fires, whether gates are shut or not, and the gates that are."""

OUTCOMES = {"actions": ACTIONS, "deferred": DEFERRED, "findings": FINDINGS, "summary": SUMMARY}
"""The tables that a plan comes in, by name."""


def outcomes_of(found: EstatePlan) -> dict[str, pa.Table]:
    """The plan of an estate as tables, by the names of `OUTCOMES`."""
    return {
        "actions": _actions(found),
        "deferred": _deferred(found),
        "findings": _findings(found),
        "summary": _summary(found),
    }


def reasons_of(found: Verdicts) -> pa.Table:
    """The verdict on every candidate as a table."""
    estate = found.estate
    closed, places = np.unique(found.shut, return_inverse=True)
    gates = [[gate.id for place, gate in enumerate(GATES) if bits >> place & 1] for bits in closed.tolist()]
    columns = [
        ids_of(estate.accounts, "account", estate.personnel.ints("account")[found.person]),
        ids_of(estate.personnel, "id", found.person),
        ids_of(estate.courses, "id", found.course),
        _named((*(row.id for row in TRIGGERS), None), found.trigger),
        pa.array(gates, CANDIDATES.field("shut").type).take(pa.array(places)),
    ]
    return pa.table(columns, schema=CANDIDATES)


def _actions(found: EstatePlan) -> pa.Table:
    estate, table = found.estate, found.actions
    kind = table.choices("type")
    booked = kind == ENROL
    columns = [
        ids_of(estate.accounts, "account", table.ints("account")),
        _named(ACTION_TYPES, kind),
        ids_of(estate.personnel, "id", table.ints("person")),
        ids_of(estate.courses, "id", table.ints("course")),
        _cycles(table.ints("cycle_on"), booked),
        pa.array(table.ints("attempt"), mask=~booked),
        _named((*CAUSES, None), table.ints("because")),
        numbers(table.ints("expires_on"), Kind.DATE, pa.date32()),
        pa.array(table.ints("credits"), mask=~booked),
        pa.array(list(found.keys()), pa.string()),
        ids_of(estate.enrolments, "id", table.ints("enrolment")),
    ]
    return pa.table(columns, schema=ACTIONS)


def _deferred(found: EstatePlan) -> pa.Table:
    estate, table = found.estate, found.deferred
    shortfall = cast("NDArray[Any]", table.columns["shortfall"])
    columns = [
        ids_of(estate.accounts, "account", table.ints("account")),
        ids_of(estate.personnel, "id", table.ints("person")),
        ids_of(estate.courses, "id", table.ints("course")),
        _cycles(table.ints("cycle_on"), np.ones(len(table), dtype=np.bool_)),
        _named(WAITS_FOR, table.choices("because")),
        numbers(table.ints("until"), Kind.DATE, pa.date32()),
        pa.array(shortfall, pa.int64(), mask=shortfall == 0),
    ]
    return pa.table(columns, schema=DEFERRED)


def _findings(found: EstatePlan) -> pa.Table:
    accounts = found.estate.accounts.ids("account")
    rows = [
        {"account": accounts[account], "level": row.level, "code": row.code, "path": row.path, "message": row.message}
        for account, noticed in enumerate(found.findings)
        for row in noticed
    ]
    return pa.Table.from_pylist(rows, schema=FINDINGS)


def _summary(found: EstatePlan) -> pa.Table:
    size = len(found.estate.accounts)
    kind, account = found.actions.choices("type"), found.actions.ints("account")
    counts = [np.bincount(account[kind == one], minlength=size) for one in range(len(ACTION_TYPES))]
    reasons = [pa.array(column, pa.int64()) for column in found.not_enrolled.T]
    columns = [
        ids_of(found.estate.accounts, "account", np.arange(size)),
        numbers(found.on, Kind.DATE, pa.date32()),
        pa.array(found.applyable, pa.bool_()),
        pa.array(found.guards, SUMMARY.field("guards").type),
        *(pa.array(column, pa.int64()) for column in counts),
        pa.array(np.bincount(found.deferred.ints("account"), minlength=size), pa.int64()),
        pa.StructArray.from_arrays(reasons, fields=list(cast("Any", SUMMARY.field("not_enrolled").type))),
    ]
    return pa.table(columns, schema=SUMMARY)


def _named(names: Sequence[str | None], places: NDArray[Any]) -> Array:
    return cast("Array", pa.array(names, pa.string()).take(pa.array(places)))


def _cycles(days: NDArray[Any], there: NDArray[np.bool_]) -> Array:
    """Cycles as texts, each different one made once."""
    distinct, places = np.unique(days[there], return_inverse=True)
    texts = pa.array([cycle_of(day) for day in distinct.tolist()], pa.string())
    spread = np.zeros(len(days), dtype=np.int64)
    spread[there] = places
    return cast("Array", texts.take(pa.array(spread, mask=~there)))

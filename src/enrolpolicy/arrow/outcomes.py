"""The plan of an estate as Arrow tables: actions, what was put off, what was noticed, and a line for each account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

from enrolpolicy.arrow.exporting import ids_of, numbers
from enrolpolicy.arrow.kernels import made, taken
from enrolpolicy.bulk.allocation import WAITS_FOR
from enrolpolicy.bulk.answers import REASONS
from enrolpolicy.bulk.columns import Kind
from enrolpolicy.bulk.demand import CAUSES
from enrolpolicy.bulk.judging import Verdicts
from enrolpolicy.bulk.planning import ACTION_TYPES, ENROL, EstatePlan
from enrolpolicy.bulk.snapshots import cycle_of
from enrolpolicy.candidate import enrolment_key
from enrolpolicy.policy import GATES, TRIGGERS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from enrolpolicy.arrow.kernels import Array


def _schema(columns: Mapping[str, pa.DataType], sometimes: Collection[str] = ()) -> pa.Schema:
    return pa.schema([_field(name, kind, name in sometimes) for name, kind in columns.items()])


def _field(name: str, kind: pa.DataType, sometimes: bool = False) -> pa.Field[Any]:
    found: pa.Field[Any] = pa.field(name, kind, nullable=sometimes)
    return found


_TEXT, _DAY, _NUMBER, _COUNT = pa.string(), pa.date32(), pa.int32(), pa.int64()
_TEXTS = pa.list_(_field("item", _TEXT))

ACTIONS = _schema(
    {
        "account": _TEXT,
        "type": _TEXT,
        "person": _TEXT,
        "course": _TEXT,
        "cycle": _TEXT,
        "attempt": _NUMBER,
        "because": _TEXT,
        "expires_on": _DAY,
        "credits": _NUMBER,
        "key": _TEXT,
        "enrolment": _TEXT,
    },
    sometimes={"cycle", "attempt", "because", "expires_on", "credits", "key", "enrolment"},
)
"""One row for each action, by account, then in the order of `Plan.actions`; null where an action has no such field."""

DEFERRED = _schema(
    {
        "account": _TEXT,
        "person": _TEXT,
        "course": _TEXT,
        "cycle": _TEXT,
        "because": _TEXT,
        "until": _DAY,
        "shortfall": _COUNT,
    },
    sometimes={"until", "shortfall"},
)
"""One row for each who is put off, as `Plan.deferred` has them."""

FINDINGS = _schema(dict.fromkeys(("account", "level", "code", "path", "message"), _TEXT))
"""One row for each finding, as `Plan.findings` has them: paths lead into the account's snapshot."""

SUMMARY = _schema(
    {
        "account": _TEXT,
        "on": _DAY,
        "applyable": pa.bool_(),
        "guards": _TEXTS,
        **dict.fromkeys((*ACTION_TYPES, "deferred"), _COUNT),
        "not_enrolled": pa.struct([_field(reason, _COUNT) for reason in REASONS]),
    }
)
"""One row for each account: whether its plan may be carried out, and how many of each, as in a plan's `counts`."""

CANDIDATES = _schema(
    {"account": _TEXT, "person": _TEXT, "course": _TEXT, "trigger": _TEXT, "shut": _TEXTS}, sometimes={"trigger"}
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
        taken(made(gates, CANDIDATES.field("shut").type), places),
    ]
    return pa.table(columns, schema=CANDIDATES)


def _actions(found: EstatePlan) -> pa.Table:
    estate, table = found.estate, found.actions
    kind = table.choices("type")
    booked = kind == ENROL
    account = ids_of(estate.accounts, "account", table.ints("account"))
    person = ids_of(estate.personnel, "id", table.ints("person"))
    course = ids_of(estate.courses, "id", table.ints("course"))
    cycle = _cycles(table.ints("cycle_on"), booked)
    columns = [
        account,
        _named(ACTION_TYPES, kind),
        person,
        course,
        cycle,
        made(table.ints("attempt"), mask=~booked),
        _named((*CAUSES, None), table.ints("because")),
        numbers(table.ints("expires_on"), Kind.DATE, pa.date32()),
        made(table.ints("credits"), mask=~booked),
        _keys((account, person, course, cycle), table.ints("attempt").tolist()),
        ids_of(estate.enrolments, "id", table.ints("enrolment")),
    ]
    return pa.table(columns, schema=ACTIONS)


def _keys(parts: Sequence[Array], attempts: Sequence[int]) -> Array:
    """The keys of enrolments; only those have a cycle."""
    rows = zip(*(part.to_pylist() for part in parts), attempts, strict=True)
    keys = [enrolment_key(*row) if row[3] is not None else None for row in rows]
    return made(keys, pa.string())


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
        made(shortfall, pa.int64(), shortfall == 0),
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
    reasons = [made(column, pa.int64()) for column in found.not_enrolled.T]
    columns = [
        ids_of(found.estate.accounts, "account", np.arange(size)),
        numbers(found.on, Kind.DATE, pa.date32()),
        made(found.applyable, pa.bool_()),
        made(found.guards, SUMMARY.field("guards").type),
        *(made(column, pa.int64()) for column in counts),
        made(np.bincount(found.deferred.ints("account"), minlength=size), pa.int64()),
        pa.StructArray.from_arrays(reasons, fields=list(cast("Any", SUMMARY.field("not_enrolled").type))),
    ]
    return pa.table(columns, schema=SUMMARY)


def _named(names: Sequence[str | None], places: NDArray[Any]) -> Array:
    return taken(made(names, pa.string()), places)


def _cycles(days: NDArray[Any], there: NDArray[np.bool_]) -> Array:
    """Cycles as texts, each different one made once."""
    distinct, places = np.unique(days[there], return_inverse=True)
    texts = made([cycle_of(day) for day in distinct.tolist()], pa.string())
    spread = np.zeros(len(days), dtype=np.int64)
    spread[there] = places
    return taken(texts, spread, ~there)

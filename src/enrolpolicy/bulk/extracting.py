"""Some accounts of an estate in hand as an estate of their own, whose rows stand as those of any."""

from typing import Any

import numpy as np
from attrs import evolve

from enrolpolicy.bulk.altering import moved, selected
from enrolpolicy.bulk.assembly import Rows, one_after_another, taken
from enrolpolicy.bulk.columns import SHAPES, Estate, Flags, Ints, Table
from enrolpolicy.bulk.holding import Holding


def extracted(held: Holding, chosen: Flags) -> Estate:
    """The chosen accounts with all that is theirs now."""
    now = selected(held.settings, chosen)
    account = (np.cumsum(chosen) - 1).astype(np.int32)
    people = held.present()
    people = people[chosen[held.people.array("account")[people]]]
    into = {
        "account": account,
        "course": moved(held.settings.courses, now.courses, account),
        "role": moved(held.settings.roles, now.roles, account),
    }
    found: dict[str, Any] = {"personnel": _referring(_shaped("personnel", held.people.table()), people, into)}
    for name, (first, count) in held.spans().items():
        rows = one_after_another(first[people], count[people])
        table = _referring(held.tables[name].table(), rows, into)
        person = np.repeat(np.arange(len(people), dtype=np.int32), count[people])
        found[name] = Table(len(rows), {**table.columns, "person": person})
    found["strays"] = {
        name: _referring(table, np.flatnonzero(chosen[table.ints("account")]), {"account": account})
        for name, table in held.strays.tables().items()
    }
    return evolve(now, **found)


def _shaped(name: str, table: Table) -> Table:
    """A table without what is kept beside it."""
    names = [column.name for column in SHAPES[name].columns]
    return Table(len(table), {at: table.columns[at] for at in (*names, "reachable")})


def _referring(table: Table, rows: Rows, into: dict[str, Ints]) -> Table:
    """Some rows of a table, as they refer to rows of another estate."""
    some = taken(table, rows)
    columns = {name: where[some.ints(name)] for name, where in into.items() if _refers(some, name)}
    return Table(len(some), {**some.columns, **columns})


def _refers(table: Table, name: str) -> bool:
    return isinstance(table.columns.get(name), np.ndarray)

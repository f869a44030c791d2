"""Rows about somebody or something unknown, as people and settings change."""

from collections.abc import Iterable, Mapping, Set
from typing import final

import numpy as np
from attrs import define

from enrolpolicy.bookings import OPEN
from enrolpolicy.bulk.assembly import taken
from enrolpolicy.bulk.columns import OF_PERSON, SHAPES, Estate, Flags, Ints, Table
from enrolpolicy.bulk.growing import Growing, growing
from enrolpolicy.model import EnrolmentStatus

Keys = Set[tuple[int, str]]
"""Who it is about, by account and id."""
_OPEN = np.array([status in OPEN for status in EnrolmentStatus])
_REQUIREMENTS = "requirements"


@final
@define(eq=False)
class Strays:
    """Them, by table, each by account."""

    _rows: dict[str, Growing]

    def tables(self) -> Mapping[str, Table]:
        """All of them."""
        return {name: rows.table() for name, rows in self._rows.items()}

    def any_with(self, changed: Estate) -> bool:
        """Whether there are any, here or in another estate; nearly always there are none."""
        return any(rows.used for rows in self._rows.values()) or any(map(len, changed.strays.values()))

    def booked(self) -> list[int]:
        """The accounts that have open enrolments among them."""
        rows = self._rows["enrolments"]
        accounts: list[int] = rows.array("account")[_OPEN[rows.array("status")]].tolist()
        return accounts

    def differing(self, changed: Estate, account: Ints) -> Flags:
        """The accounts of another estate that ask for other unknown courses than they did; `account`: their rows here.

        What is asked for is a setting of the account.
        """
        before = _by_account(self._rows[_REQUIREMENTS].table())
        now = _by_account(_strays(changed, _REQUIREMENTS, account))
        return np.array([before.get(row) != now.get(row) for row in account.tolist()], dtype=np.bool_)

    def forget(self, people: Keys) -> None:
        """Let go of those that are about some people."""
        for name in OF_PERSON:
            self._keep(name, (key not in people for key in _keys(self._rows[name].table())))

    def replace(self, changed: Estate, account: Ints, people: Keys, settings: Flags) -> None:
        """Put in what another estate says about some people, and of accounts whose settings are taken over."""
        self.forget(people)
        for name in OF_PERSON:
            theirs = _strays(changed, name, account)
            self._add(name, theirs, (key in people for key in _keys(theirs)))
        settled = set(account[settings].tolist())
        theirs = _strays(changed, _REQUIREMENTS, account)
        self._keep(_REQUIREMENTS, (of not in settled for of in self._rows[_REQUIREMENTS].array("account").tolist()))
        self._add(_REQUIREMENTS, theirs, (of in settled for of in theirs.ints("account").tolist()))

    def _keep(self, name: str, stay: Iterable[bool]) -> None:
        chosen = np.fromiter(stay, dtype=np.bool_)
        if not chosen.all():
            self._rows[name].keep(np.flatnonzero(chosen))

    def _add(self, name: str, table: Table, chosen: Iterable[bool]) -> None:
        places = np.flatnonzero(np.fromiter(chosen, dtype=np.bool_))
        if len(places):
            rows = self._rows[name]
            rows.append(taken(table, places))
            rows.keep(np.argsort(rows.array("account"), kind="stable"))


def strays_of(estate: Estate) -> Strays:
    """Those of an estate."""
    account = np.arange(len(estate.accounts), dtype=np.int32)
    return Strays({name: growing(_strays(estate, name, account)) for name in estate.strays})


def about(estate: Estate, account: Ints) -> Keys:
    """Whom the strays of another estate are about; `account`: the rows of its accounts here."""
    return {key for name in OF_PERSON for key in _keys(_strays(estate, name, account))}


def _strays(estate: Estate, name: str, account: Ints) -> Table:
    """The strays of a table, by rows of accounts here; where there are none, references are texts all the same."""
    table = estate.strays[name]
    columns = {
        column.name: list(table.texts(column.name)) if column.table else table.columns[column.name]
        for column in SHAPES[name].columns
    }
    if "account" in columns and name != "accounts":
        columns["account"] = account[table.ints("account")]
    return Table(len(table), columns)


def _keys(table: Table) -> Iterable[tuple[int, str]]:
    return zip(table.ints("account").tolist(), table.ids("person"), strict=True)


def _by_account(table: Table) -> Mapping[int, list[tuple[object, ...]]]:
    """What is asked for by each account, in order."""
    found: dict[int, list[tuple[object, ...]]] = {}
    said = (table.ids("role"), table.ids("course"), table.choices("level").tolist())
    for account, *row in zip(table.ints("account").tolist(), *said, strict=True):
        found.setdefault(account, []).append(tuple(row))
    return found

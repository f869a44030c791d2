"""An estate whose people come, go and change, with everybody's rows in hand at a cost that goes by who changed."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from typing import Any, final

import numpy as np
from attrs import define, evolve

from enrolpolicy.bulk.assembly import Rows, taken
from enrolpolicy.bulk.blocks import Spans
from enrolpolicy.bulk.columns import OF_PERSON, SHAPES, Estate, Ints, Table
from enrolpolicy.bulk.growing import Growing, growing
from enrolpolicy.errors import InvalidValue

_SETTINGS = ("courses", "roles", "requirements")


@final
@define(eq=False)
class Holding:
    """The estate of now. Nobody's row of `personnel` ever moves, so newcomers stand at its end.

    Beside the columns of `personnel`, `people` says where the rows of each person stand in the other tables, and their
    `rank`, by account and id.
    """

    settings: Estate
    """The accounts, courses, roles and requirements, and the rows of the beginning."""
    people: Growing
    tables: dict[str, Growing]
    _places: dict[tuple[int, str], int]
    _order: Rows
    """Everybody by account and id, those among them who left."""

    def estate(self) -> Estate:
        """All rows, also those that are nobody's any more."""
        tables: dict[str, Any] = {name: rows.table() for name, rows in self.tables.items()}
        return evolve(self.settings, personnel=self.people.table(), **tables)

    def spans(self) -> Mapping[str, Spans]:
        """Where everybody's rows stand, by table."""
        of = self.people.array
        return {name: (of(f"{name}_from"), of(f"{name}_count")) for name in OF_PERSON}

    def rows(self, people: Collection[tuple[str, str]]) -> Rows:
        """The rows of people, by the ids of account and person; raises `InvalidValue` for somebody who is not there."""
        accounts = {id: row for row, id in enumerate(self.settings.accounts.ids("account"))}
        found = [self._places.get((accounts.get(account, -1), person)) for account, person in people]
        for row, (account, person) in zip(found, people, strict=True):
            if row is None:
                raise InvalidValue("left", f"must be people who are there; `{account}` has no `{person}`")
        return np.array(found, dtype=np.intp)

    def keys(self, people: Rows) -> Iterator[tuple[int, str]]:
        """The account and the id of some people."""
        ids = self.people.table().ids()
        return zip(self.people.array("account")[people].tolist(), (ids[row] for row in people.tolist()), strict=True)

    def leave(self, people: Rows) -> None:
        """Take away all rows of some people."""
        for name in OF_PERSON:
            self.people.array(f"{name}_count")[people] = 0

    def replace(self, changed: Estate) -> Rows:
        """Put the rows of the people of another estate in place of theirs; the rows of those people, by theirs there.

        Raises `InvalidValue` where its accounts are not among these, or have other settings.
        """
        account = self._accounts(changed)
        moved = {
            "account": account,
            "course": _moved(changed.courses, self.settings.courses, account),
            "role": _moved(changed.roles, self.settings.roles, account),
        }
        people = self._people(changed.personnel, account)
        moved["person"] = people.astype(np.int32)
        for name in OF_PERSON:
            rows: Table = getattr(changed, name)
            columns = {at: moved[at][rows.ints(at)] for at in moved if at in rows.columns}
            start = self.tables[name].append(Table(len(rows), {**rows.columns, **columns}))
            ends = np.searchsorted(rows.ints("person"), np.arange(len(people) + 1))
            self.people.array(f"{name}_from")[people] = start + ends[:-1]
            self.people.array(f"{name}_count")[people] = np.diff(ends)
        return people

    def _accounts(self, changed: Estate) -> Ints:
        known = {id: row for row, id in enumerate(self.settings.accounts.ids("account"))}
        found = []
        for row, id in enumerate(changed.accounts.ids("account")):
            if id not in known:
                raise InvalidValue("changed", f"must be of accounts that are there; there is no `{id}`")
            if not _same(changed, row, self.settings, known[id]):
                raise InvalidValue(
                    "changed", f"must have the settings of before; those of `{id}` differ, so begin a new `Standing`"
                )
            found.append(known[id])
        return np.array(found, dtype=np.int32)

    def _people(self, changed: Table, account: Ints) -> Rows:
        """The rows of people, after those who were there have what is said of them now, and the others are there."""
        accounts = account[changed.ints("account")]
        keys = list(zip(accounts.tolist(), changed.ids(), strict=True))
        found = [self._places.get(key, -1) for key in keys]
        new = [place for place, row in enumerate(found) if row < 0]
        size = len(keys)
        nothing = {f"{name}_{what}": np.zeros(size, dtype=np.int32) for name in OF_PERSON for what in ("from", "count")}
        table = Table(
            size,
            {
                **changed.columns,
                **nothing,
                "account": accounts,
                "rank": np.zeros(size, dtype=np.int64),
            },
        )
        first = self.people.append(taken(table, np.array(new, dtype=np.intp)))
        for row, place in enumerate(new, first):
            found[place] = self._places[keys[place]] = row
        self._stand(first)
        old = np.array([place for place in range(size) if found[place] < first], dtype=np.intp)
        rows = np.array(found, dtype=np.intp)
        table.instants("rank")[old] = self.people.array("rank")[rows[old]]
        self.people.put(rows[old], taken(table, old))
        return rows

    def _stand(self, first: int) -> None:
        """Rank the people from a row on, who came in order, among the others."""
        if first == self.people.used:
            return
        ids, account = self.people.table().ids(), self.people.array("account")
        accounts, order = account[self._order], self._order

        def id_at(place: int) -> str:
            return ids[int(order[place])]

        places = []
        for row in range(first, self.people.used):
            low, high = np.searchsorted(accounts, (account[row], account[row] + 1)).tolist()
            places.append(low + bisect_left(range(low, high), ids[row], key=id_at))
        self._order = np.insert(order, places, np.arange(first, self.people.used))
        self.people.array("rank")[self._order] = np.arange(self.people.used)


def holding(estate: Estate) -> Holding:
    """Take an estate in hand; its columns are copied."""
    size = len(estate.personnel)
    columns = dict(estate.personnel.columns)
    columns["rank"] = np.arange(size, dtype=np.int64)
    for name in OF_PERSON:
        person: Ints = getattr(estate, name).ints("person")
        ends = np.searchsorted(person, np.arange(size + 1)).astype(np.int32)
        columns[f"{name}_from"], columns[f"{name}_count"] = ends[:-1], np.diff(ends)
    keys = zip(estate.personnel.ints("account").tolist(), estate.personnel.ids(), strict=True)
    tables = {name: growing(getattr(estate, name)) for name in OF_PERSON}
    places = {key: row for row, key in enumerate(keys)}
    return Holding(estate, growing(Table(size, columns)), tables, places, np.arange(size))


def _moved(theirs: Table, ours: Table, account: Ints) -> Ints:
    """Where the rows of a table of settings stand among ours, where they stand in the same order."""
    of = theirs.ints("account")
    first = np.searchsorted(of, np.arange(len(account)))
    start = np.searchsorted(ours.ints("account"), account)
    return (np.arange(len(theirs)) + (start - first)[of]).astype(np.int32)


def _same(theirs: Estate, row: int, ours: Estate, at: int) -> bool:
    """Whether an account has the same settings in two estates."""
    if not _same_rows(theirs.accounts, range(row, row + 1), ours.accounts, range(at, at + 1), "accounts", {}):
        return False
    shift: dict[str, int] = {}
    for name in _SETTINGS:
        here, there = (_of(getattr(estate, name), account) for estate, account in ((theirs, row), (ours, at)))
        if not _same_rows(getattr(theirs, name), here, getattr(ours, name), there, name, shift):
            return False
        shift[name] = there.start - here.start
    return True


def _of(table: Table, account: int) -> range:
    first, last = np.searchsorted(table.ints("account"), (account, account + 1)).tolist()
    return range(first, last)


def _same_rows(theirs: Table, here: range, ours: Table, there: range, name: str, shift: Mapping[str, int]) -> bool:
    if len(here) != len(there):
        return False
    for column in SHAPES[name].columns:
        if column.name == "account" and name != "accounts":
            continue
        one, other = theirs.columns[column.name], ours.columns[column.name]
        if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
            moved = one[here.start : here.stop]
            if column.table:
                moved = moved + shift[column.table]
            if not np.array_equal(moved, other[there.start : there.stop], equal_nan=one.dtype.kind == "f"):
                return False
        elif any(one[a] != other[b] for a, b in zip(here, there, strict=True)):
            return False
    return True

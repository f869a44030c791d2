"""An estate whose people come, go and change, with everybody's rows in hand at a cost that goes by who changed."""

from bisect import bisect_left
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any, final

import numpy as np
from attrs import define, evolve

from enrolpolicy.bulk.altering import Altered, altered, everyone, moved, resettled, settled, starts_of
from enrolpolicy.bulk.assembly import Rows, one_after_another, taken
from enrolpolicy.bulk.blocks import Spans
from enrolpolicy.bulk.columns import OF_PERSON, Estate, Ints, Table
from enrolpolicy.bulk.growing import SPARE, Growing, growing
from enrolpolicy.bulk.straying import Strays, about, strays_of
from enrolpolicy.bulk.terms import digits_of
from enrolpolicy.errors import InvalidValue


@final
@define(eq=False)
class Holding:
    """The estate of now. Nobody's row of `personnel` ever moves, so newcomers stand at its end.

    Beside the columns of `personnel`, `people` says where the rows of each person stand in the other tables, their
    `rank`, by account and id, whether they are `here`, and what their codes have from them (`digits`).
    """

    settings: Estate
    """The accounts, courses, roles and requirements, and the rows of the beginning."""
    strays: Strays
    people: Growing
    tables: dict[str, Growing]
    _accounts: Mapping[str, int]
    _ids: list[str]
    _places: list[dict[str, int]]
    """By account, the row of each person."""
    _live: dict[str, int]
    """How many rows of each table are somebody's."""
    _order: Rows
    """Everybody by account and id, those among them who left."""

    def estate(self) -> Estate:
        """All rows, also those that are nobody's any more."""
        tables: dict[str, Any] = {name: rows.table() for name, rows in self.tables.items()}
        return evolve(self.settings, personnel=self.people.table(), strays=self.strays.tables(), **tables)

    def present(self) -> Rows:
        """The people who are here, by account and id."""
        here: Rows = self._order[self.people.array("here")[self._order]]
        return here

    def spans(self) -> Mapping[str, Spans]:
        """Where everybody's rows stand, by table."""
        of = self.people.array
        return {name: (of(f"{name}_from"), of(f"{name}_count")) for name in OF_PERSON}

    def _keys(self, people: Rows) -> set[tuple[int, str]]:
        of = self.people.array("account")[people].tolist()
        return {(account, self._ids[row]) for account, row in zip(of, people.tolist(), strict=True)}

    # What is to change, before anything does

    def rows(self, people: Collection[tuple[str, str]]) -> Rows:
        """The rows of people, by the ids of account and person; raises `InvalidValue` for somebody who is not there."""
        found = set()
        for account, person in people:
            row = self._row(self._accounts[account], person) if account in self._accounts else None
            if row is None:
                raise InvalidValue("left", f"must be people who are there; `{account}` has no `{person}`")
            found.add(row)
        return np.array(sorted(found), dtype=np.intp)

    def _row(self, account: int, person: str) -> int | None:
        """The row of somebody who is here."""
        row = self._places[account].get(person)
        return row if row is not None and self.people.array("here")[row] else None

    def compared(self, changed: Estate, left: Rows) -> Altered:
        """What the settings of another estate are to those here.

        Raises `InvalidValue` where its accounts are not among these; where it has rows of somebody who is here, and not
        them; or where courses or roles of one came or went, and somebody of that account neither is in it nor left.
        """
        unknown = next((id for id in changed.accounts.ids("account") if id not in self._accounts), None)
        if unknown is not None:
            raise InvalidValue("changed", f"must be of accounts that are there; there is no `{unknown}`")
        account = np.array([self._accounts[id] for id in changed.accounts.ids("account")], dtype=np.int32)
        found = altered(changed, self.settings, account)
        if self.strays.any_with(changed):
            self._without_them(changed, account, left)
            found.settings[self.strays.differing(changed, account)] = True
        for row in np.flatnonzero(found.catalogue).tolist():
            self._all_of(changed, row, int(account[row]), left)
        return found

    def _without_them(self, changed: Estate, account: Ints, left: Rows) -> None:
        given = {*zip(account[changed.personnel.ints("account")].tolist(), changed.personnel.ids(), strict=True)}
        for of, person in sorted(about(changed, account) - given):
            row = self._row(of, person)
            if row is not None and row not in left:
                id = self.settings.accounts.ids("account")[of]
                raise InvalidValue(
                    "changed", f"must have people with all their rows; `{person}` of `{id}` is not in it"
                )

    def _all_of(self, changed: Estate, row: int, account: int, left: Rows) -> None:
        here = self.people.array("here") & (self.people.array("account") == account)
        here[left] = False
        ids, theirs = changed.personnel.ids(), np.flatnonzero(changed.personnel.ints("account") == row)
        given = {ids[at] for at in theirs.tolist()}
        missing = next((at for at in np.flatnonzero(here).tolist() if self._ids[at] not in given), None)
        if missing is not None:
            id, person = self.settings.accounts.ids("account")[account], self._ids[missing]
            raise InvalidValue(
                "changed", f"must have everybody of `{id}`, whose courses or roles came or went; there is no `{person}`"
            )

    # Changes

    def resettle(self, changed: Estate, found: Altered) -> None:
        """Put in the settings of accounts that have others now."""
        before, size = self.settings, len(self.settings.accounts)
        self.settings = now = resettled(before, changed, found)
        for column, table in (("course", "courses"), ("role", "roles")):
            shift = starts_of(getattr(now, table), size) - starts_of(getattr(before, table), size)
            for rows in self.tables.values():
                if column in rows.table().columns:
                    rows.array(column)[:] += shift[rows.array("account")]

    def leave(self, people: Rows) -> None:
        """Take away all rows of some people."""
        if len(people):
            self.strays.forget(self._keys(people))
        self.people.array("here")[people] = False
        for name in OF_PERSON:
            self._count(name, people, 0)

    def _count(self, name: str, people: Rows, count: Rows | int) -> None:
        kept = self.people.array(f"{name}_count")
        self._live[name] -= int(kept[people].sum())
        kept[people] = count
        self._live[name] += int(kept[people].sum())

    def replace(self, changed: Estate, found: Altered) -> Rows:
        """Put in the people of another estate, with their rows in place of theirs; where each stands here."""
        account = found.account
        people = self._people(changed.personnel, account)
        if self.strays.any_with(changed):
            self.strays.replace(changed, account, self._keys(people) | about(changed, account), found.settings)
        into = {
            "account": account,
            "course": moved(changed.courses, self.settings.courses, account),
            "role": moved(changed.roles, self.settings.roles, account),
            "person": people.astype(np.int32),
        }
        everybody = np.arange(len(people) + 1, dtype=np.int32)
        for name in OF_PERSON:
            rows: Table = getattr(changed, name)
            columns = {at: into[at][rows.ints(at)] for at in into if at in rows.columns}
            start = self.tables[name].append(Table(len(rows), {**rows.columns, **columns}))
            ends = np.searchsorted(rows.ints("person"), everybody)
            self.people.array(f"{name}_from")[people] = start + ends[:-1]
            self._count(name, people, np.diff(ends))
        return people

    def _people(self, changed: Table, account: Ints) -> Rows:
        """The rows of people, after those who were there have what is said of them now, and the others are there."""
        accounts, ids, size = account[changed.ints("account")], list(changed.ids()), len(changed)
        found = np.array(
            [self._places[of].get(id, -1) for of, id in zip(accounts.tolist(), ids, strict=True)], dtype=np.intp
        )
        here = np.ones(size, dtype=np.bool_)
        columns = {**changed.columns, "account": accounts, "here": here, "digits": digits_of(changed)}
        old, new = np.flatnonzero(found >= 0), np.flatnonzero(found < 0)
        self.people.put(found[old], {name: said for name, said in columns.items() if name != "id"}, old)
        if len(new):
            nothing = np.zeros(size, dtype=np.int32)
            columns |= {f"{name}_{what}": nothing for name in OF_PERSON for what in ("from", "count")}
            columns["rank"] = nothing
            found[new] = self._join(taken(Table(size, columns), new))
        return found

    def _join(self, newcomers: Table) -> Rows:
        """Put newcomers at the end, who stand by account and id, and rank them among the others."""
        first = self.people.append(newcomers)
        rows = np.arange(first, self.people.used)
        self._ids += newcomers.ids()
        of = self.people.array("account")
        accounts, order, places = of[self._order], self._order, []
        for row in rows.tolist():
            account, id = int(of[row]), self._ids[row]
            self._places[account][id] = row
            low, high = np.searchsorted(accounts, np.array((account, account + 1), dtype=np.int32)).tolist()
            places.append(low + bisect_left(order[low:high], id, key=lambda at: self._ids[at]))
        self._order = np.insert(order, places, rows)
        self.people.array("rank")[self._order] = np.arange(self.people.used)
        return rows

    # Rows that are nobody's

    def tidied(self, name: str) -> Rows | None:
        """Write a table anew if too many of its rows are nobody's; where its rows stood before, or None."""
        table = self.tables[name]
        if (table.used - self._live[name]) * SPARE <= table.used:
            return None
        first, count = self.spans()[name]
        rows = one_after_another(first, count)
        table.keep(rows)
        first[:] = np.cumsum(count) - count
        return rows


def holding(estate: Estate) -> Holding:
    """Take an estate in hand; its columns are copied."""
    size = len(estate.personnel)
    columns = dict(estate.personnel.columns)
    columns["rank"], columns["here"] = np.arange(size), np.ones(size, dtype=np.bool_)
    columns["digits"] = digits_of(estate.personnel)
    everybody = np.arange(size + 1, dtype=np.int32)
    for name in OF_PERSON:
        ends = np.searchsorted(getattr(estate, name).ints("person"), everybody).astype(np.int32)
        columns[f"{name}_from"], columns[f"{name}_count"] = ends[:-1], np.diff(ends)
    ids, starts = (
        list(estate.personnel.ids()),
        np.searchsorted(estate.personnel.ints("account"), everyone(len(estate.accounts) + 1)),
    )
    places = [dict(zip(ids[first:last], range(first, last), strict=True)) for first, last in pairwise(starts.tolist())]
    return Holding(
        settled(estate),
        strays_of(estate),
        growing(Table(size, columns)),
        {name: growing(getattr(estate, name)) for name in OF_PERSON},
        {id: row for row, id in enumerate(estate.accounts.ids("account"))},
        ids,
        places,
        {name: len(getattr(estate, name)) for name in OF_PERSON},
        np.arange(size),
    )

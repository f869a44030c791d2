"""Whole accounts of Arrow tables as an estate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
from attrs import define, field

from enrolpolicy.arrow.decoding import Place, decoded, refuse_failing
from enrolpolicy.arrow.kernels import as_kind, ascending_order, greater, made, same, taken, with_blank
from enrolpolicy.arrow.problems import Problems
from enrolpolicy.arrow.references import Index, index
from enrolpolicy.arrow.texts import ArrowTexts
from enrolpolicy.arrow.walking import Block, Rows
from enrolpolicy.arrow.working_out import WORKED_OUT
from enrolpolicy.bulk import SHAPES, Column, Draft, Estate, Kind, Shape, Table, assembled
from enrolpolicy.bulk.columns import DTYPES, NO_CHOICE, NONE, UNKNOWN, Ints, Values
from enrolpolicy.model import Anchor

if TYPE_CHECKING:
    from enrolpolicy.arrow.kernels import Array, Chunks, Numbers


def estate_of_block(block: Block, problems: Problems) -> Estate | None:
    """The accounts of a block as an estate; None where anything is wrong with them, which is noted."""
    accounts = _accounts(block["accounts"], problems)
    indexes: dict[str, Index] = {}
    drafts: dict[str, Draft] = {}
    for name, shape in SHAPES.items():
        reading = _Reading(shape, block[name], accounts, problems)
        drafts[name] = reading.draft(indexes)
    return None if problems else assembled(drafts)


def _accounts(parts: tuple[Rows, ...], problems: Problems) -> Mapping[str, int]:
    """The place of each account by its id."""
    places: dict[str, int] = {}
    for part in parts:
        starts = np.append(0, part.ends[:-1])
        for account, start, end in zip(part.accounts, starts.tolist(), part.ends.tolist(), strict=True):
            if account in places or end > start + 1:
                message = f"the account `{account}` has more than one row; give it a single one"
                row = part.first + start + (account not in places)
                problems.add("accounts", "duplicate-id", message, column="account", row=row)
            places.setdefault(account, len(places))
    return places


_NO_TEXTS = made([], pa.string())


@final
@define(eq=False)
class _Reading:
    """A table of a block on its way into an estate."""

    shape: Shape
    parts: tuple[Rows, ...]
    accounts: Mapping[str, int]
    problems: Problems
    numbers: dict[str, Numbers] = field(factory=dict)
    texts: dict[str, Chunks] = field(factory=dict)
    meant: dict[str, Chunks] = field(factory=dict)

    def draft(self, indexes: dict[str, Index]) -> Draft:
        """The table; what refers to its rows finds them in `indexes` from then on."""
        account = self._concatenated([self._account(part) for part in self.parts], np.int32)
        for place, column in enumerate(self.shape.columns):
            read = [decoded(part.batch.column(place), self._place(column, part.first)) for part in self.parts]
            self._keep(column, read)
        if self.shape.name != "accounts":
            self.numbers["account"] = account
            self.meant.pop("account")
        for column in self.shape.columns:
            if column.name in self.meant:
                self._refer(column, indexes[column.table or ""], account)
        for name, (source, work_out) in WORKED_OUT.get(self.shape.name, {}).items():
            texts = self.texts[source]
            self.numbers[name] = np.concatenate([work_out(part) for part in texts.chunks or (_NO_TEXTS,)])
        if self.shape.name == "courses":
            self._settle_validity()
        if "id" in self.texts:
            self._sort()
            ids = with_blank(_whole(self.texts["id"]))
            self.texts["id"] = pa.chunked_array([ids])
            indexes[self.shape.name] = index(ids, self.numbers["account"], len(self.accounts))
        columns: dict[str, Values] = {**self.numbers, **{name: _texts(it) for name, it in self.texts.items()}}
        meant = {name: _texts(it) for name, it in self.meant.items()}
        return Draft(Table(len(account), columns), meant, by_id=True)

    def _place(self, column: Column, first: int) -> Place:
        return Place(self.problems, self.shape.name, column, first)

    def _keep(self, column: Column, read: list[Any]) -> None:
        if column.kind is Kind.REFERENCE:
            self.meant[column.name] = pa.chunked_array(read, None if read else pa.string())
        elif column.kind in (Kind.ID, Kind.TEXT):
            self.texts[column.name] = pa.chunked_array(read, None if read else pa.string())
        else:
            self.numbers[column.name] = self._concatenated(read, DTYPES[column.kind])

    @staticmethod
    def _concatenated(parts: list[Numbers], dtype: type[np.generic]) -> Numbers:
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)

    def _account(self, part: Rows) -> Ints:
        """The place of the account of each row."""
        sizes = np.diff(part.ends, prepend=0)
        places = np.array([self.accounts.get(account, UNKNOWN) for account in part.accounts], dtype=np.int32)
        unknown = np.repeat(places == UNKNOWN, sizes)

        def message(row: int) -> str:
            account = part.accounts[int(np.searchsorted(part.ends, row, side="right"))]
            return f"is of account `{account}`, which is not in `accounts`; add it there, or leave its rows out"

        self._place(self.shape.columns[0], part.first).refuse(unknown, "unknown-account", message)
        return np.repeat(places, sizes)

    def _refer(self, column: Column, found: Index, account: Ints) -> None:
        """Find the rows that a column refers to. The ids of those that are not there have to be ids all the same."""
        rows: list[Numbers] = []
        start = 0
        for chunk in self.meant[column.name].chunks:
            rows.append(found.find(chunk, account[start : start + len(chunk)]))
            strays = rows[-1] == UNKNOWN
            if strays.any():
                refuse_failing(chunk, strays, self._place(column, self.parts[0].first + start))
            start += len(chunk)
        self.numbers[column.name] = self._concatenated(rows, np.int32)

    def _settle_validity(self) -> None:
        """A validity has months or days; its anchor is that of the model where none is said."""
        months, days, anchor = (self.numbers[f"validity_{name}"] for name in ("months", "days", "anchor"))
        both = (months != NONE) & (days != NONE)
        if self.parts:
            place = self._place(self.shape.column("validity_days"), self.parts[0].first)
            message = "must be null where `validity_months` is not; a validity is in months or in days"
            place.refuse(both, "invalid", lambda _: message)
        neither = (months == NONE) & (days == NONE)
        usual = np.where(anchor == NO_CHOICE, list(Anchor).index(Anchor.COMPLETION), anchor)
        self.numbers["validity_anchor"] = np.where(neither, NO_CHOICE, usual).astype(np.uint8)

    def _sort(self) -> None:
        """Have the rows by account, then id, and see that no id is there twice."""
        ids, account = _whole(self.texts["id"]), self.numbers["account"]
        if _ascending(ids, account):
            return
        order = ascending_order(account=account, id=ids)
        self._refuse_twins(taken(ids, order), account[order], order)
        self.numbers = {name: values[order] for name, values in self.numbers.items()}
        self.texts, self.meant = (
            {name: pa.chunked_array([taken(_whole(values), order)]) for name, values in these.items()}
            for these in (self.texts, self.meant)
        )

    def _refuse_twins(self, ids: Array, account: Ints, order: Numbers) -> None:
        """Note the rows that have the id of an earlier one; `order` is where rows stood that now stand by id."""
        twins = np.flatnonzero(same(ids[1:], ids[:-1]) & (account[1:] == account[:-1]))
        if not len(twins):
            return
        earlier, later = (pick(order[twins], order[twins + 1]) for pick in (np.minimum, np.maximum))
        nth = int(later.argmin())
        first = self.parts[0].first
        message = (
            f"the id `{ids[int(twins[nth])].as_py()}` is also the one of row {first + int(earlier[nth])}; "
            "give each row of an account its own"
        )
        row = first + int(later[nth])
        self.problems.add(self.shape.name, "duplicate-id", message, column="id", row=row, rows=len(twins))


def _texts(values: Chunks) -> ArrowTexts:
    return ArrowTexts(values.chunk(0) if values.num_chunks == 1 else values)


def _whole(texts: Chunks) -> Array:
    """Texts of one column as one array of plain ones."""
    plain = [as_kind(chunk, pa.string()) for chunk in texts.chunks]
    return plain[0] if len(plain) == 1 else pa.concat_arrays([*plain, pa.array([], pa.string())])


def _ascending(ids: Array, account: Ints) -> bool:
    """Whether rows stand by account, then id, each id once."""
    return bool((greater(ids[1:], ids[:-1]) | (account[1:] > account[:-1])).all())

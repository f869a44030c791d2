"""Ids to rows: an id is unique within its account only, so a reference is an account and an id."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, final

import numpy as np
from attrs import field, frozen

from enrolpolicy.arrow.kernels import encoded, places_in
from enrolpolicy.arrow.texts import codes
from enrolpolicy.bulk.columns import UNKNOWN, Ints

if TYPE_CHECKING:
    from enrolpolicy.arrow.kernels import Array, Numbers

    Look = Callable[[Ints, Ints], Ints]

_SPARE = 1 << 22
"""So many places a table of all accounts and ids may have in any case."""


@final
@frozen(eq=False)
class Index:
    """The ids of a table's rows, to be looked up: each different id once, and a way from account and id to the row."""

    distinct: Array = field(repr=False)
    look: Look = field(repr=False)

    def find(self, references: Array, account: Ints) -> Ints:
        """The row that each reference of an account refers to; `UNKNOWN` where there is none."""
        places, texts = codes(references)
        # A null is at the place -1, the last one.
        ids = np.append(places_in(texts, self.distinct), UNKNOWN).astype(np.int32)[places]
        known = ids >= 0
        if known.all():
            return self.look(account, ids)
        rows = np.full(len(ids), UNKNOWN, dtype=np.int32)
        rows[known] = self.look(account[known], ids[known])
        return rows


def index(ids: Array, account: Ints, accounts: int) -> Index:
    """Make the rows of a table findable; `account` says whose each id is, of so many `accounts`.

    Where no id is in two accounts, the id alone finds the row, and the account is only compared. Where ids come back in
    every account, as those of courses do, there is a place for each account and id. Where that would be too many
    places, keys made of both are searched for.
    """
    places, distinct = codes(encoded(ids))
    if len(distinct) == len(ids):
        return Index(distinct, _by_id(account))
    keys = account.astype(np.int64) * len(distinct) + places
    if accounts * len(distinct) <= max(_SPARE, 4 * len(ids)):
        return Index(distinct, _by_place(keys, accounts, len(distinct)))
    return Index(distinct, _by_key(keys, len(distinct)))


def _by_id(owner: Ints) -> Look:
    def look(account: Ints, ids: Ints) -> Ints:
        return np.where(owner[ids] == account, ids, UNKNOWN).astype(np.int32, copy=False)

    return look


def _by_place(keys: Numbers, accounts: int, width: int) -> Look:
    rows = np.full(accounts * width, UNKNOWN, dtype=np.int32)
    rows[keys] = np.arange(len(keys), dtype=np.int32)

    def look(account: Ints, ids: Ints) -> Ints:
        found: Ints = rows[account.astype(np.int64) * width + ids]
        return found

    return look


def _by_key(keys: Numbers, width: int) -> Look:
    order = np.argsort(keys, kind="stable").astype(np.int32)
    ascending = keys[order]

    def look(account: Ints, ids: Ints) -> Ints:
        wanted = account.astype(np.int64) * width + ids
        at = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
        return np.where(ascending[at] == wanted, order[at], UNKNOWN).astype(np.int32, copy=False)

    return look

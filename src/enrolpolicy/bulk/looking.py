"""The findings of an estate's accounts, looked for again only where there can be others."""

from typing import final

import numpy as np
from attrs import define

from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.columns import NONE, Ints
from enrolpolicy.bulk.extracting import extracted
from enrolpolicy.bulk.holding import Holding
from enrolpolicy.bulk.noticing import noticed
from enrolpolicy.plans import Finding


@final
@define(eq=False)
class Noticed:
    """What was found in each account, and on which night that was (`NONE`: its rows changed since)."""

    _findings: list[tuple[Finding, ...]]
    _on: Ints

    def touch(self, accounts: Rows | Ints) -> None:
        """Rows of some accounts changed."""
        self._on[accounts] = NONE

    def of(self, held: Holding, on: Ints) -> tuple[tuple[Finding, ...], ...]:
        """The findings of each account on its night.

        Time alone takes findings away (a completion that lay ahead has come), and never makes any.
        """
        found = np.array([bool(rows) for rows in self._findings], dtype=np.bool_)
        again = (self._on == NONE) | (found & (self._on != on))
        if again.any():
            for account, rows in zip(
                np.flatnonzero(again).tolist(), noticed(extracted(held, again), on[again]), strict=True
            ):
                self._findings[account] = rows
            self._on[again] = on[again]
        return tuple(self._findings)


def unlooked(accounts: int) -> Noticed:
    """Of so many accounts in which nobody looked yet."""
    return Noticed([()] * accounts, np.full(accounts, NONE, dtype=np.int32))

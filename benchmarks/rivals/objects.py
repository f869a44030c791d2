"""The library's own planner, account by account, over objects."""

from pathlib import Path

import estates
from enrolpolicy import Plan, plan
from registers import ON
from rivals.answers import Answer, of_plans


class Objects:
    def load(self, tables: Path, keyed: Path) -> None:
        self.snapshots = estates.snapshots(tables)

    def decide(self) -> list[Plan]:
        return [plan(snapshot, on=ON) for snapshot in self.snapshots]

    def answer(self, decided: list[Plan]) -> Answer:
        return of_plans(decided)

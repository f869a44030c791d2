"""The estates of the benchmarks are estates: their tables are accepted, and hold what they are meant to measure."""

from pathlib import Path

import pytest

import estates
from enrolpolicy import Snapshot, plan
from enrolpolicy.arrow.files import open_tables
from enrolpolicy.bulk import ACTION_TYPES, CAUSES, REASONS, WAITS_FOR, plan_estate, plans_of
from registers import ON


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tables")
    estates.write(directory, 240, 3)
    return directory


@pytest.fixture(scope="module")
def snapshots(tables: Path) -> dict[str, Snapshot]:
    return {snapshot.account.id: snapshot for snapshot in estates.snapshots(tables)}


class TestGeneratedEstates:
    """What the engines are measured on is what the library accepts, whole or as objects, and every rule is at work."""

    def test_the_same_plans_whether_read_as_columns_or_as_objects(
        self, tables: Path, snapshots: dict[str, Snapshot]
    ) -> None:
        for estate in open_tables(tables).estates(rows=100):
            for found in plans_of(plan_estate(estate, on=ON), snapshots):
                assert found == plan(snapshots[found.account], on=ON)

    def test_every_reason_and_every_cause_occurs(self, tmp_path: Path) -> None:
        estates.write(tmp_path, 6_000, 20)
        [estate] = open_tables(tmp_path).estates(rows=1 << 40)
        found = plan_estate(estate, on=ON, findings=False)
        never = {reason for reason, count in zip(REASONS, found.not_enrolled.sum(axis=0), strict=True) if not count}
        assert never <= {"plan-active", "account-enabled"}  # whole accounts, of which a benchmark wants few
        actions, deferred = found.actions, found.deferred
        assert set(actions.choices("type").tolist()) == set(range(len(ACTION_TYPES)))
        causes = {CAUSES[place] for place in actions.choices("because").tolist() if place < len(CAUSES)}
        assert causes == set(CAUSES)
        assert {WAITS_FOR[place] for place in deferred.choices("because").tolist()} == {"credits"}

    def test_the_same_tables_every_time(self, tables: Path, tmp_path: Path) -> None:
        estates.write(tmp_path, 240, 3)
        for name in ("records", "enrolments"):
            assert estates.rows(tmp_path, name) == estates.rows(tables, name)

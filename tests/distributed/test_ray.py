"""The plan of an estate on Ray: workers that are processes of their own, one of them killed in the middle."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from arrow_tables import spoilt
from enrolpolicy import InvalidSnapshot
from enrolpolicy.adapters.ray import plan_tables
from enrolpolicy.arrow import write_tables
from registers import ON
from watched import ACCOUNTS, PATHS, WatchedNights, estate, files, looked_at, same


@pytest.fixture(scope="module", autouse=True)
def _ray() -> Iterator[None]:
    import ray

    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=200 * 2**20,
        log_to_driver=False,
        logging_level="ERROR",
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(map(str, PATHS))}},
    )
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("ray")
    estate(found)
    return found


def _nights(folder: Path, seconds: float) -> WatchedNights:
    marks = folder / f"marks-{time.monotonic_ns()}"
    marks.mkdir()
    return WatchedNights(str(marks), seconds, {f"account-{number:03}": ON for number in range(ACCOUNTS)})


class TestOnRay:
    """Planned by several workers, the plan is the single process's to the byte, whatever becomes of one of them."""

    def test_the_same_bytes(self, folder: Path) -> None:
        nights = _nights(folder, 0.02)
        (folder / "apart").mkdir()
        found = plan_tables(folder / "tables", on=nights, out=files(folder / "apart"), rows=1)
        assert found.accounts == ACCOUNTS
        same(folder / "alone", folder / "apart")
        assert len({process for _, process in looked_at(Path(nights.marks))}) >= 2

    def test_a_worker_is_killed_in_the_middle(self, folder: Path) -> None:
        nights = _nights(folder, 0.25)
        (folder / "killed").mkdir()
        killed: list[int] = []
        killer = threading.Thread(target=_kill_one, args=(Path(nights.marks), killed))
        killer.start()
        found = plan_tables(folder / "tables", on=nights, out=files(folder / "killed"), rows=1)
        killer.join()
        assert found.accounts == ACCOUNTS
        same(folder / "alone", folder / "killed")
        looks = list(looked_at(Path(nights.marks)))
        assert killed[0] in {process for _, process in looks}
        times = Counter(account for account, _ in looks)
        assert len(times) == ACCOUNTS
        # Something was done again, so that nothing is there twice says something.
        assert max(times.values()) > min(times.values())

    def test_bad_tables_are_told_as_they_are_alone(self, tmp_path: Path) -> None:
        write_tables(spoilt("records", "completed_on", [None]), tmp_path / "tables")
        with pytest.raises(InvalidSnapshot, match=r"account `acme`: records\[0\].completed_on: must not be null"):
            plan_tables(tmp_path / "tables", on=ON, out={"actions": tmp_path / "plan.parquet"})
        assert os.listdir(tmp_path) == ["tables"]


def _kill_one(marks: Path, killed: list[int]) -> None:
    """Kill a worker without a warning while it plans, once a quarter of the accounts has been looked at."""
    while len(os.listdir(marks)) < ACCOUNTS // 4:
        time.sleep(0.02)
    _, process, _ = max(os.listdir(marks), key=lambda name: int(name.split()[2])).split()
    killed.append(int(process))
    os.kill(int(process), signal.SIGKILL)

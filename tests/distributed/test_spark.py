"""The plan of an estate on Spark: executors that are processes of their own, one of them killed in the middle."""

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arrow_tables import spoilt
from enrolpolicy.adapters.nested import write_nested
from enrolpolicy.adapters.spark import collected, plan_frame
from enrolpolicy.arrow import open_tables, write_tables
from registers import ON
from watched import ACCOUNTS, PATHS, WHAT, WatchedNights, estate, files, looked_at, same

# It warns of the pandas that other tests here are about.
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
EXECUTOR = b"CoarseGrainedExecutorBackend"


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import pyspark
    from pyspark.sql import SparkSession

    os.environ |= {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_WORKER_DIR": str(tmp_path_factory.mktemp("executors")),
        "PYSPARK_PYTHON": sys.executable,
    }
    settings = {
        "spark.executor.memory": "1g",
        "spark.executor.extraJavaOptions": "-Xss4m",
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(map(str, PATHS)),
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "2",
        "spark.sql.files.maxPartitionBytes": "65536",
        "spark.sql.files.openCostInBytes": "65536",
        "spark.python.worker.reuse": "true",
        "spark.deploy.maxExecutorRetries": "-1",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("enrolpolicy")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("spark")
    estate(found)
    assert write_nested(open_tables(found / "tables"), found / "rows", rows=1) >= ACCOUNTS // 2
    return found


def _nights(folder: Path, seconds: float) -> WatchedNights:
    marks = folder / f"marks-{time.monotonic_ns()}"
    marks.mkdir()
    return WatchedNights(str(marks), seconds, {f"account-{number:03}": ON for number in range(ACCOUNTS)})


class TestOnSpark:
    """Planned by several executors, the plan is the single process's to the byte, whatever becomes of one of them."""

    def test_the_same_bytes(self, spark: Any, folder: Path) -> None:
        nights = _nights(folder, 0.0)
        (folder / "apart").mkdir()
        frame = plan_frame(spark.read.parquet(str(folder / "rows")), on=nights, what=WHAT)
        assert collected(frame, files(folder / "apart")).accounts == ACCOUNTS
        same(folder / "alone", folder / "apart")
        assert len({process for _, process in looked_at(Path(nights.marks))}) >= 2

    def test_an_executor_is_killed_in_the_middle(self, spark: Any, folder: Path) -> None:
        nights = _nights(folder, 0.25)
        (folder / "killed").mkdir()
        before = set(_executors())
        killed: list[int] = []
        killer = threading.Thread(target=_kill_one, args=(Path(nights.marks), killed))
        killer.start()
        frame = plan_frame(spark.read.parquet(str(folder / "rows")).coalesce(2), on=nights, what=WHAT)
        assert collected(frame, files(folder / "killed")).accounts == ACCOUNTS
        killer.join()
        assert len(before) == 2
        assert killed[0] in before
        assert killed[0] not in _executors()
        same(folder / "alone", folder / "killed")
        times = Counter(account for account, _ in looked_at(Path(nights.marks)))
        assert len(times) == ACCOUNTS
        # Something was done again, so that nothing is there twice says something.
        assert max(times.values()) > min(times.values())

    def test_an_account_in_two_rows_is_refused(self, spark: Any, folder: Path) -> None:
        rows = spark.read.parquet(str(folder / "rows"))
        with pytest.raises(ValueError, match="the account `account-000` was planned twice"):
            collected(plan_frame(rows.union(rows), on=ON), {})

    def test_bad_tables_are_told(self, spark: Any, tmp_path: Path) -> None:
        write_tables(spoilt("records", "completed_on", [None]), tmp_path / "tables")
        write_nested(open_tables(tmp_path / "tables"), tmp_path / "rows")
        frame = plan_frame(spark.read.parquet(str(tmp_path / "rows")), on=ON)
        with pytest.raises(Exception, match=r"account `acme`: records\[0\].completed_on: must not be null"):
            collected(frame, {"actions": tmp_path / "plan.parquet"})
        assert sorted(os.listdir(tmp_path)) == ["rows", "tables"]


def _kill_one(marks: Path, killed: list[int]) -> None:
    """Kill an executor without a warning, once a quarter of the accounts has been looked at."""
    while len(os.listdir(marks)) < ACCOUNTS // 4:
        time.sleep(0.02)
    [executor, *_] = _executors()
    killed.append(executor)
    os.kill(executor, signal.SIGKILL)


def _executors() -> list[int]:
    """The executors of this very session: Java processes that descend from this one."""
    return [process for process in _descendants(os.getpid()) if EXECUTOR in _command(process)]


def _descendants(process: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path(f"/proc/{name}/stat").read_text()
            except OSError:
                continue  # over meanwhile
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(name))
    found, left = [], [process]
    while left:
        for child in children.get(left.pop(), []):
            found.append(child)
            left.append(child)
    return found


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""

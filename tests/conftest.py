"""Two ways to run the properties: quick and the same every time, or thorough and different every time."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

pytest_plugins = ["enrolpolicy.testing.plugin", "pytester"]
# Tests that need more than Python are asked for by name, and have a make target of their own.
collect_ignore = [name for name in ("browser", "distributed") if os.environ.get("ENROLPOLICY_TESTS") != name]

settings.register_profile(
    "quick", max_examples=100, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
settings.register_profile(
    "thorough", max_examples=5_000, deadline=None, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
# Whether all of the library is in a wheel shows with the first examples.
settings.register_profile("glance", settings.get_profile("quick"), max_examples=5)
# Tracing takes twice the time; which lines are reached shows with fewer examples than whether they are right.
settings.register_profile("traced", settings.get_profile("quick"), max_examples=30)
# mutmut calls a test again and again in one process, which Hypothesis would take for a fault of the test; and that a
# mutant is noticed is enough, nobody reads the smallest example.
settings.register_profile(
    "mutants",
    settings.get_profile("quick"),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[*settings.get_profile("quick").suppress_health_check, HealthCheck.differing_executors],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where files lie of tests that do not ask whether a disk keeps them."""


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """A folder of the test's own, in memory where the system has such a thing."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY, prefix="enrolpolicy-") as folder:
        yield Path(folder)

"""Where the files of these tests lie."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Whether a disk is quick is not what is tried here."""


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """A folder of the test's own, in memory where the system has such a thing."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY, prefix="enrolpolicy-") as folder:
        yield Path(folder)

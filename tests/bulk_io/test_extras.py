"""What needs numpy alone, and what needs nothing, does without Arrow."""

import subprocess
import sys

import pytest


def _imports(what: str, without: str) -> None:
    code = f"import sys; sys.modules[{without!r}] = None; import {what}"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


class TestExtras:
    """An extra that is not installed is missed by what needs it, and by nothing else."""

    @pytest.mark.parametrize("module", ["enrolpolicy.bulk", "enrolpolicy.cli", "enrolpolicy"])
    def test_without_arrow(self, module: str) -> None:
        _imports(module, "pyarrow")

    @pytest.mark.parametrize("module", ["enrolpolicy.cli", "enrolpolicy"])
    def test_without_numpy(self, module: str) -> None:
        _imports(module, "numpy")

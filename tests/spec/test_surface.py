"""What `import enrolpolicy` offers."""

import subprocess
import sys

import enrolpolicy


class TestThePublicNames:
    """Every public name can be had from the package itself, and is imported no earlier than needed."""

    def test_every_name_is_there(self) -> None:
        missing = [name for name in enrolpolicy.__all__ if getattr(enrolpolicy, name, None) is None]
        assert missing == []
        assert set(enrolpolicy.__all__) <= set(dir(enrolpolicy))

    def test_an_unknown_name_is_refused_by_name(self) -> None:
        assert not hasattr(enrolpolicy, "re_enrol")

    def test_no_name_stands_twice(self) -> None:
        assert len(set(enrolpolicy.__all__)) == len(enrolpolicy.__all__)

    def test_pendulum_and_cattrs_are_imported_late(self) -> None:
        code = "import sys, enrolpolicy; print(sorted({'pendulum', 'cattrs', 'json'} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n"

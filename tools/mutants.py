"""Which small faults in the kernel the tests do not notice: mutmut on a copy of the tree, and a score per module.

    python tools/mutants.py [--jobs N] [--record] [MODULE …]

One module after the other, each in a directory of its own under `build/mutants`: a run that was cut short goes on
where it stopped, what was caught stays caught while its function is unchanged, and what survived is tried again.
Only the tests that can notice are run (`tools/noticing.py`). Survivors that cannot be told from the original are
listed with a reason in `tools/equivalent_mutants.txt`; any other ends the program with 1. `--record` keeps the scores
for the page of verified properties.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from noticing import files

ROOT = Path(__file__).resolve().parents[1]
REASONS = ROOT / "tools" / "equivalent_mutants.txt"
SCORES = ROOT / "tools" / "mutation_scores.toml"
WORK = ROOT / "build" / "mutants"
COPIED = ("src", "tests", "tools", "docs", "pyproject.toml", "README.md")

KERNEL = (
    "lifecycle", "dates", "verdict", "candidate", "policy", "bookings", "renewal", "planner", "night", "sweep",
)  # fmt: skip
ABOUT_DRAWING = "tests/spec/test_oracle.py::TestTheDocumentsAreWorthPlanning"
"""Long, and about what the properties are tried on, not about the library."""

CAUGHT = ("killed", "timeout", "caught by type check")


class Score(NamedTuple):
    """What became of a module's mutants."""

    mutants: int
    caught: int
    equivalent: int

    @property
    def unexplained(self) -> int:
        return self.mutants - self.caught - self.equivalent

    def __str__(self) -> str:
        percent = 100 * self.caught / self.mutants
        return f"{self.mutants} mutants, {self.caught} caught ({percent:.1f} %), {self.equivalent} equivalent"


def settings(module: str) -> str:
    """What mutmut is told, as TOML."""
    tests = json.dumps(["-x", f"--deselect={ABOUT_DRAWING}", *files(module)])
    return (
        f"\n[tool.mutmut]\nsource_paths = ['src/']\nonly_mutate = ['src/enrolpolicy/{module}.py']\n"
        f"pytest_add_cli_args_test_selection = {tests}\nalso_copy = ['tests/', 'tools/', 'docs/', 'README.md']\n"
        "do_not_mutate_patterns = ['cast\\(.*']\n"
    )


def mutmut(here: Path, *arguments: str) -> str:
    environment = os.environ | {"HYPOTHESIS_PROFILE": "mutants"}
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=here, env=environment, text=True, capture_output=True, check=False)
    return done.stdout + done.stderr[-3000:]


def fates(here: Path) -> dict[str, str]:
    """What became of each mutant so far."""
    listed = mutmut(here, "results", "--all", "true")
    return dict(re.findall(r"^\s*(\S+__mutmut_\d+): ([\w ]+)$", listed, re.MULTILINE))


def mutated(module: str, jobs: int) -> dict[str, str]:
    """What became of each mutant of a module, those that survived an earlier run tried again."""
    here = WORK / module
    again = [mutant for mutant, fate in fates(here).items() if fate == "survived"] if here.exists() else []
    here.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.rmtree(here / name, ignore_errors=True)
            shutil.copytree(ROOT / name, here / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, here / name)
    with (here / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(settings(module))
    said = mutmut(here, "run", "--max-children", str(jobs))
    left = [mutant for mutant in again if fates(here).get(mutant) == "survived"]
    if left:
        said += mutmut(here, "run", "--max-children", str(jobs), *left)
    found = fates(here)
    if not found or "not checked" in found.values():
        raise SystemExit(f"mutmut did not get through:\n{said[-6000:]}")
    return found


def shown(here: Path, mutant: str) -> str:
    """The lines that a mutant changes."""
    return "\n".join(line for line in mutmut(here, "show", mutant).splitlines() if re.match(r"[-+](?![-+])", line))


def score(module: str, found: dict[str, str], known: str) -> Score:
    """The score of a module; what survived is printed."""
    left = sorted(mutant for mutant, fate in found.items() if fate not in CAUGHT)
    explained = 0
    for mutant in left:
        lines = shown(WORK / module, mutant)
        equivalent = bool(lines) and lines in known
        explained += equivalent
        print(f"{'equivalent' if equivalent else found[mutant].upper()}  {mutant}\n{lines}\n", flush=True)
    return Score(len(found), len(found) - len(left), explained)


def recorded() -> dict[str, Score]:
    """The scores kept."""
    if not SCORES.exists():
        return {}
    return {module: Score(**row) for module, row in tomllib.loads(SCORES.read_text(encoding="utf-8")).items()}


def record(scores: dict[str, Score]) -> None:
    rows = {**recorded(), **scores}
    head = "# Written by `make mutants`: how many small faults were made in each module, and how many were noticed.\n"
    lines = (
        f"{module} = {{ mutants = {row.mutants}, caught = {row.caught}, equivalent = {row.equivalent} }}\n"
        for module, row in sorted(rows.items())
    )
    SCORES.write_text(head + "".join(lines), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="*", help="of the kernel; all of them by default")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="how many at once")
    parser.add_argument("--record", action="store_true", help="keep the scores for the documentation")
    options = parser.parse_args(arguments)
    untested = [module for module in options.modules if not files(module)]
    if untested:
        parser.error(f"no tests are named for {', '.join(untested)}; add them to `tools/noticing.py`")
    known = REASONS.read_text(encoding="utf-8")
    unexplained = 0
    for module in options.modules or KERNEL:
        reached = score(module, mutated(module, options.jobs), known)
        print(f"{module}: {reached}, {reached.unexplained} unexplained", flush=True)
        unexplained += reached.unexplained
        if options.record:
            record({module: reached})
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())

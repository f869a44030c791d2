"""Which small faults in the kernel the tests do not notice: mutmut on a copy of the tree, and the score.

    python tools/mutants.py [--keep DIRECTORY] [MODULE …]

Survivors that cannot be told from the original are listed with a reason in `tools/equivalent_mutants.txt`; any other
ends the program with 1. It takes some minutes for each module.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REASONS = ROOT / "tools" / "equivalent_mutants.txt"
COPIED = ("src", "tests", "tools", "docs", "pyproject.toml", "README.md")
KERNEL = (
    "bookings", "candidate", "dates", "lifecycle", "night", "planner", "policy", "renewal", "sweep", "verdict",
)  # fmt: skip
# Other parts of the tests are about text, documents and the command line, and would only cost time here.
TESTS = (
    "renewal", "triggers", "gates", "tables", "credits_and_spread", "withdrawals", "lifecycle", "dates", "explanation",
    "oracle", "plan_properties", "nights", "scenarios", "changes", "staleness", "findings",
)  # fmt: skip
ABOUT_DRAWING = "tests/spec/test_oracle.py::TestTheDocumentsAreWorthPlanning"
"""Long, and about what the properties are tried on, not about the library."""


def settings(modules: list[str]) -> str:
    """What mutmut is told, as TOML."""
    chosen = json.dumps([f"src/enrolpolicy/{module}.py" for module in modules])
    tests = json.dumps(["-x", f"--deselect={ABOUT_DRAWING}", *(f"tests/spec/test_{name}.py" for name in TESTS)])
    return (
        f"\n[tool.mutmut]\nsource_paths = ['src/']\nonly_mutate = {chosen}\n"
        f"pytest_add_cli_args_test_selection = {tests}\nalso_copy = ['tests/', 'tools/', 'docs/', 'README.md']\n"
        "do_not_mutate_patterns = ['cast\\(.*']\n"
    )


def mutated(here: Path, modules: list[str]) -> dict[str, str]:
    """What became of each mutant."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, here / name)
    with (here / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(settings(modules))
    environment = os.environ | {"HYPOTHESIS_PROFILE": "mutants"}
    mutmut = [sys.executable, "-m", "mutmut"]
    done = subprocess.run([*mutmut, "run"], cwd=here, env=environment, text=True, capture_output=True, check=False)
    listed = subprocess.run(
        [*mutmut, "results", "--all", "true"], cwd=here, text=True, capture_output=True, check=False
    )
    found = dict(re.findall(r"^\s*(\S+__mutmut_\d+): ([\w ]+)$", listed.stdout, re.MULTILINE))
    if not found or "not checked" in found.values():
        raise SystemExit(f"mutmut did not get through:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return found


def shown(here: Path, mutant: str) -> str:
    """The lines that a mutant changes."""
    command = [sys.executable, "-m", "mutmut", "show", mutant]
    text = subprocess.run(command, cwd=here, text=True, capture_output=True, check=False).stdout
    return "\n".join(line for line in text.splitlines() if re.match(r"[-+](?![-+])", line))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="*", default=list(KERNEL), help="of the kernel; all of them by default")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="work there, and leave the mutants")
    options = parser.parse_args(arguments)
    known = REASONS.read_text(encoding="utf-8") if REASONS.exists() else ""
    here = options.keep or Path(tempfile.mkdtemp())
    here.mkdir(parents=True, exist_ok=True)
    found = mutated(here, options.modules)
    left = sorted(mutant for mutant, fate in found.items() if fate not in ("killed", "timeout", "caught by type check"))
    unexplained = 0
    for mutant in left:
        lines = shown(here, mutant)
        explained = bool(lines) and lines in known
        unexplained += not explained
        print(f"{'equivalent' if explained else found[mutant].upper()}  {mutant}\n{lines}\n")
    caught = len(found) - len(left)
    print(f"{len(found)} mutants, {caught} caught ({100 * caught / len(found):.1f} %)")
    print(f"{len(left) - unexplained} of the rest cannot be told from the original, {unexplained} are not explained")
    if options.keep is None:
        shutil.rmtree(here)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())

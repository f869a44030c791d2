"""The documents are true: every block in them runs, and what they show is what comes out."""

import contextlib
import doctest
import importlib
import inspect
import io
import json
import pkgutil
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser

import enrolpolicy
from enrolpolicy import load

ROOT = Path(__file__).parents[1]
FOLDERS = ("docs", "tests", "proofs", "benchmarks")
PAGES = sorted(
    path for path in [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))]
)
SHOWN_ONLY = {"sh", "mermaid", "toml", "ini", "yaml"}
"""Not run here: the README's two commands are what runs this test; the scenarios' example is played with the others;
what is read by a scheduler (ini, yaml) would need that one."""


def run_python(example: Example) -> None:
    printed = io.StringIO()
    code = compile(str(example.parsed), example.path, "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, example.namespace)
    example.namespace["printed"] = example.namespace.get("printed", "") + printed.getvalue()


def compile_python(example: Example) -> None:
    """Python that needs a program of its own to run in (a scheduler, say) is at least Python."""
    compile(str(example.parsed), example.path, "exec")


def compare_text(example: Example) -> None:
    """A block of text shows what the Python before it printed; one that follows none is a picture."""
    printed = example.namespace.pop("printed", "")
    if printed:
        assert str(example.parsed) == printed


def run_console(example: Example) -> None:
    """Each `$ ` line is a command, run in a directory of its own page; `...` stands for whatever comes."""
    where = example.namespace["directory"]
    for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", str(example.parsed), re.MULTILINE):
        words = command.replace("enrolpolicy", f"{shlex.quote(sys.executable)} -m enrolpolicy", 1)
        done = subprocess.run(words, shell=True, cwd=where, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode in (0, 1), done.stderr
        pattern = ".*".join(re.escape(part) for part in expected.split("...\n"))
        assert re.fullmatch(pattern, done.stdout, re.DOTALL), done.stdout


def read_json(example: Example) -> None:
    if "format_version" in json.loads(str(example.parsed)):
        load(str(example.parsed))


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))


EVALUATORS = {
    "python": run_python,
    "py": compile_python,
    "text": compare_text,
    "console": run_console,
    "json": read_json,
}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
class TestEveryPage:
    """Every block of a page is run, in order; what it prints is what the page shows."""

    def test_its_blocks(self, path: Path, tmp_path: Path) -> None:
        parsers = [CodeBlockParser(language, evaluator) for language, evaluator in EVALUATORS.items()]
        document = Document.parse(str(path), *parsers)
        document.namespace["directory"] = tmp_path
        examples = list(document.examples())
        blocks = re.findall(r"^```(\w*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        opened = [language for language in blocks if language]
        assert set(opened) <= {*EVALUATORS, *SHOWN_ONLY}
        assert len(examples) == sum(language in EVALUATORS for language in opened)
        for example in examples:
            example.evaluate()
        assert document.namespace.get("printed", "") == ""

    def test_its_links(self, path: Path) -> None:
        for target in links(path):
            assert target.startswith("https://") or (path.parent / target).exists(), target


class TestEveryDocstring:
    """Examples in docstrings are run."""

    def test_examples(self) -> None:
        attempted = 0
        for module in pkgutil.walk_packages(enrolpolicy.__path__, "enrolpolicy."):
            if not module.name.endswith("__main__"):
                found = doctest.testmod(importlib.import_module(module.name))
                assert found.failed == 0
                attempted += found.attempted
        assert attempted >= 5

    def test_everything_public_has_one(self) -> None:
        for name in enrolpolicy.__all__:
            it = getattr(enrolpolicy, name)
            if inspect.isclass(it) or inspect.isroutine(
                it
            ):  # an alias has its sentence beside it, where no program sees it
                assert it.__doc__, name


class TestGeneratedPages:
    """The generated pages are what the code says."""

    def test_they_are_up_to_date(self) -> None:
        tool = runpy.run_path(str(ROOT / "tools" / "generate_docs.py"))
        assert tool["main"](["--check"]) == 0

    def test_every_page_can_be_reached(self) -> None:
        linked = {(page.parent / target).resolve() for page in PAGES for target in links(page)}
        assert [page for page in PAGES if page != ROOT / "README.md" and page.resolve() not in linked] == []

"""The command line: documents in, plans and reasons out.

Data goes to standard output, everything else to standard error. Exit codes: 0 done; 1 findings of level error, or a
plan that is not applyable; 2 wrong usage; 65 the document was refused.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO, TypeVar

from enrolpolicy.codec import dump, load
from enrolpolicy.errors import InvalidSnapshot, UnknownId
from enrolpolicy.explanation import Explanation, explain, explain_all
from enrolpolicy.findings import ERROR
from enrolpolicy.findings import findings as _findings
from enrolpolicy.model import Snapshot
from enrolpolicy.planner import plan as _plan
from enrolpolicy.plans import Finding, Plan
from enrolpolicy.schemas import plan_schema, snapshot_schema
from enrolpolicy.text import Style, explanation_lines, finding_lines, plan_lines, safe, summary_line, wrapped

DONE, FOUND, USAGE, REFUSED, INTERRUPTED = 0, 1, 2, 65, 130
DEMO_ON = date(2026, 11, 23)

_T = TypeVar("_T")


class _Usage(Exception):
    """What was asked for cannot be done as it was asked."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stopped:  # argparse has said why
        return stopped.code if isinstance(stopped.code, int) else USAGE
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        code = command(arguments)
        sys.stdout.flush()
    except _Usage as error:
        _say(f"enrolpolicy: {error}")
        return USAGE
    except InvalidSnapshot as error:
        for problem in error.problems:
            _say(f"{problem.path}: {problem.message}")
        if error.more:
            _say(f"and {error.more} more")
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough; say nothing at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="enrolpolicy", description="Who is re-enrolled tonight, who is not, and why.")
    parser.add_argument("--version", action="version", version=f"enrolpolicy {_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="tonight's plan for the account that ships with the package")
    demo.add_argument("--snapshot", action="store_true", help="print that account's snapshot instead")
    demo.set_defaults(command=_demo)

    plan = commands.add_parser("plan", help="what happens on a date, and who is left out")
    _snapshot(plan)
    _on(plan, required=True)
    plan.add_argument("--person", action="append", default=[], metavar="ID", help="only for this person (repeatable)")
    plan.add_argument("--format", choices=("text", "json"), default="text")
    plan.set_defaults(command=_plan_command)

    explain = commands.add_parser("explain", help="why one person is, or is not, enrolled on a course")
    _snapshot(explain)
    _on(explain, required=True)
    explain.add_argument("--person", metavar="ID")
    explain.add_argument("--course", metavar="ID")
    explain.add_argument("--all", action="store_true", help="every person on every course that concerns them")
    explain.add_argument("--format", choices=("text", "json", "jsonl"), default="text")
    explain.set_defaults(command=_explain_command)

    check = commands.add_parser("check", help="what cannot be meant so, in the data and the settings")
    _snapshot(check)
    _on(check, required=False)
    check.add_argument("--format", choices=("text", "json"), default="text")
    check.set_defaults(command=_check)

    schema = commands.add_parser("schema", help="the JSON Schema of a document")
    schema.add_argument("document", choices=("snapshot", "plan"))
    schema.set_defaults(command=_schema)
    return parser


def _version() -> str:
    try:
        return version("enrolpolicy")
    except PackageNotFoundError:  # run from its sources
        return "(not installed)"


def _snapshot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="a JSON file, or - for standard input")


def _on(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument("--on", type=_date, required=required, metavar="DATE", help="the account's date, YYYY-MM-DD")


def _date(text: str) -> date:
    with suppress(ValueError):
        if len(text) == len("YYYY-MM-DD"):
            day = date.fromisoformat(text)
            if day.isoformat() == text:
                return day
    raise argparse.ArgumentTypeError(f"`{safe(text[:40])}` is not a date that exists, written YYYY-MM-DD")


# Commands


def _demo(arguments: argparse.Namespace) -> int:
    document = files("enrolpolicy").joinpath("demo.json").read_text(encoding="utf-8")
    if arguments.snapshot:
        _write_json([document])
        return DONE
    snapshot, style = load(document), _style(sys.stdout)
    _write(plan_lines(snapshot, _plan(snapshot, on=DEMO_ON), style))
    _write(["", style.paint("Try next", "bold"), *(f"  {line}" for line in _TRY_NEXT)])
    return DONE


_TRY_NEXT = (
    "enrolpolicy demo --snapshot > demo.json",
    f"enrolpolicy explain demo.json --on {DEMO_ON} --person priya-nair --course fire-safety",
    f"enrolpolicy plan demo.json --on {DEMO_ON.replace(month=12, day=1)}",
)


def _plan_command(arguments: argparse.Namespace) -> int:
    snapshot = _read(arguments.snapshot)
    with _Progress("planning"):
        planned = _asked(snapshot, lambda: _plan(snapshot, on=arguments.on, people=arguments.person or None))
    if arguments.format == "json":
        _write_json([dump(planned)])
    else:
        _write(plan_lines(snapshot, planned, _style(sys.stdout), arguments.person))
    return _verdict(planned)


def _verdict(planned: Plan) -> int:
    return FOUND if not planned.applyable or _errors(planned.findings) else DONE


def _errors(findings: Iterable[Finding]) -> bool:
    return any(row.level == ERROR for row in findings)


def _explain_command(arguments: argparse.Namespace) -> int:
    if arguments.all == bool(arguments.person or arguments.course) or bool(arguments.person) != bool(arguments.course):
        raise _Usage("explain takes either --all, or --person and --course; give one of the two")
    if arguments.format == "jsonl" and not arguments.all:
        raise _Usage("--format jsonl goes with --all; for one explanation use --format json")
    if arguments.format == "json" and arguments.all:
        raise _Usage("--all writes one line for each candidate; use --format jsonl")
    snapshot = _read(arguments.snapshot)
    if arguments.all:
        rows = _counted(explain_all(snapshot, on=arguments.on), len(snapshot.personnel))
        if arguments.format == "jsonl":
            _write_json(map(dump, rows))
        else:
            _write(map(summary_line, rows))
        return DONE
    found = _asked(
        snapshot, lambda: explain(snapshot, person=arguments.person, course=arguments.course, on=arguments.on)
    )
    if arguments.format == "json":
        _write_json([dump(found)])
    else:
        _write(explanation_lines(snapshot, found, _style(sys.stdout)))
    return DONE


def _check(arguments: argparse.Namespace) -> int:
    snapshot = _read(arguments.snapshot)
    found = _findings(snapshot, arguments.on)
    if arguments.format == "json":
        rows = [{"level": row.level, "code": row.code, "path": row.path, "message": row.message} for row in found]
        _write_json([json.dumps(rows, ensure_ascii=False, indent=2) + "\n"])
    else:
        _write(finding_lines(found, _style(sys.stdout)) if found else ["nothing to notice"])
    return FOUND if _errors(found) else DONE


def _schema(arguments: argparse.Namespace) -> int:
    schema = snapshot_schema() if arguments.document == "snapshot" else plan_schema()
    _write_json([json.dumps(schema, indent=2) + "\n"])
    return DONE


# In and out


def _read(name: str) -> Snapshot:
    with _Progress("reading"):
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            reason = (error.strerror or "it cannot be read").lower()
            raise _Usage(f"`{safe(name)}`: {reason}; give a JSON file, or - for standard input") from None
        except ValueError:  # a NUL in a name
            raise _Usage("the file's name is not one; give a JSON file, or - for standard input") from None
        return load(content)


def _asked(snapshot: Snapshot, question: Callable[[], _T]) -> _T:
    """The answer to a question that names somebody, or who may have been meant."""
    try:
        return question()
    except UnknownId as error:
        rows = snapshot.personnel if error.kind == "person" else snapshot.courses
        nearest = get_close_matches(error.id, [row.id for row in rows], n=1)
        advice = f"did you mean `{nearest[0]}`?" if nearest else f"`enrolpolicy explain --all` lists every {error.kind}"
        raise _Usage(f"there is no {error.kind} `{safe(error.id[:80])}` in the snapshot; {safe(advice)}") from None


def _write(lines: Iterable[str]) -> None:
    """Lines to look at; what the terminal's encoding cannot show is escaped."""
    _reconfigure(errors="backslashreplace")
    for line in lines:
        sys.stdout.write(line + "\n")


def _write_json(documents: Iterable[str]) -> None:
    """Documents as they are, in UTF-8 wherever they go."""
    _reconfigure(encoding="utf-8")
    for document in documents:
        sys.stdout.write(document)


def _reconfigure(encoding: str | None = None, errors: str | None = None) -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding=encoding, errors=errors)


def _say(sentence: str) -> None:
    sys.stderr.write("\n".join(wrapped(sentence)) + "\n" if sys.stderr.isatty() else safe(sentence) + "\n")


def _style(stream: TextIO) -> Style:
    try:
        "✓✗·…".encode(stream.encoding or "ascii")
        marks = True
    except (LookupError, UnicodeEncodeError):
        marks = False
    return Style(colour=stream.isatty() and not os.environ.get("NO_COLOR"), marks=marks)


# Progress, on a terminal


class _Progress:
    """What is being done, on standard error while it lasts, if that is a terminal."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        _show(f"{self._doing} …")

    def __exit__(self, *_: object) -> None:
        _show("")


def _show(status: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{status}")
        sys.stderr.flush()


def _counted(rows: Iterable[Explanation], people: int) -> Iterator[Explanation]:
    """The rows, with how many people are done."""
    done, last = 0, None
    _show("planning …")
    for row in rows:
        if row.person != last:
            last, done = row.person, done + 1
            if done % 50 == 1:
                _show(f"explaining {done:,} of {people:,} people …")
        yield row
    _show("")

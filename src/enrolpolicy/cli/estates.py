"""Whole estates: `bulk plan` and `bulk export`."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import asdict, evolve

from enrolpolicy.cli.command import DONE, FOUND, Command, Usage, on_argument
from enrolpolicy.cli.documents import read
from enrolpolicy.cli.output import show, style, write, write_json
from enrolpolicy.cli.pieces import many
from enrolpolicy.errors import EnrolPolicyError, InvalidSnapshot, InvalidValue
from enrolpolicy.text import Style, safe

if TYPE_CHECKING:
    from enrolpolicy.arrow.running import Totals

FILES = {
    "out": ("actions", "the plan: every action"),
    "deferred": ("deferred", "those who are put off, and why"),
    "findings": ("findings", "what cannot be meant so, in the data and the settings"),
    "summary": ("summary", "a line for each account: counts, reasons, guards"),
    "reasons": ("reasons", "every candidate, with its trigger and its shut gates"),
}
"""The options that name a file to write; what is written to it; what that is."""
_MISSING = "planning whole estates needs the extra `arrow`: pip install 'enrolpolicy[arrow]'"


def _arguments(parser: ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    plan = commands.add_parser("plan", help="tables in, the plan of every account out")
    plan.add_argument("tables", metavar="TABLES", help="a directory with a Parquet or Arrow file for each table")
    on_argument(plan, required=True)
    for option, (_, meaning) in FILES.items():
        plan.add_argument(f"--{option}", metavar="FILE", required=option == "out", help=f"{meaning} (.parquet, .arrow)")
    plan.add_argument("--format", choices=("text", "json"), default="text")
    plan.set_defaults(estates=_plan)
    export = commands.add_parser("export", help="snapshots as tables")
    export.add_argument("snapshots", metavar="SNAPSHOT", nargs="+", help="JSON files, one account in each")
    export.add_argument("--out", metavar="TABLES", required=True, help="the directory to write the tables to")
    export.set_defaults(estates=_export)


def _run(arguments: Namespace) -> int:
    try:
        import enrolpolicy.arrow  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise Usage(_MISSING) from None
    code: int = arguments.estates(arguments)
    return code


# plan


def _plan(arguments: Namespace) -> int:
    from enrolpolicy.arrow.running import plan_tables  # noqa: PLC0415 - an extra

    out = {what: name for option, (what, _) in FILES.items() if (name := getattr(arguments, option)) is not None}
    _check_names(list(out.values()))
    show("reading …")
    try:
        found = plan_tables(arguments.tables, on=arguments.on, out=out, told=_told)
    except OSError as error:
        raise Usage(_unreadable(error, arguments.tables)) from None
    except ValueError as error:
        if isinstance(error, EnrolPolicyError):
            raise
        raise Usage(str(error)) from None
    finally:
        show("")
    if arguments.format == "json":
        write_json([json.dumps(asdict(found), indent=2) + "\n"])
    else:
        write(_lines(found, arguments.out, style(sys.stdout)))
    return FOUND if found.held_back or found.errors else DONE


def _check_names(names: Sequence[str]) -> None:
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise Usage(f"`{safe(twice)}` is named twice; give each file its own name")


def _unreadable(error: OSError, tables: str) -> str:
    name = str(error.filename or tables)
    return f"`{safe(name)}`: {(error.strerror or 'it cannot be read or written').lower()}; check the name"


def _told(done: int, of: int | None) -> None:
    show(f"planned {done:,}{'' if of is None else f' of {of:,}'} accounts …")


def _lines(found: "Totals", out: str, dress: Style) -> Iterator[str]:
    yield dress.paint(many(found.accounts, "account"), "bold")
    for name, count in (
        ("Enrol", found.enrol),
        ("Cancel", found.cancel),
        ("Invite", found.invite),
        ("Put off", found.deferred),
    ):
        yield f"  {name:<8} {count:>13,}"
    if found.held_back:
        held = f"NOT APPLYABLE: the plans of {many(found.held_back, 'account')}; --summary names their guards"
        yield dress.paint(held, "red")
    if found.errors:
        yield dress.paint(f"{many(found.errors, 'finding')} of level error", "yellow")
    yield f"wrote {safe(out)}"


# export


def _export(arguments: Namespace) -> int:
    from enrolpolicy.arrow import tables_of  # noqa: PLC0415 - an extra
    from enrolpolicy.arrow.files import write_tables  # noqa: PLC0415
    from enrolpolicy.bulk import estate_of  # noqa: PLC0415

    snapshots = []
    for name in arguments.snapshots:
        try:
            snapshots.append(read(name))
        except InvalidSnapshot as error:
            problems = (evolve(problem, path=f"{safe(name)}: {problem.path}") for problem in error.problems)
            raise InvalidSnapshot(tuple(problems), error.more) from None
    try:
        tables = tables_of(estate_of(snapshots))
        write_tables(tables, arguments.out)
    except InvalidValue as error:
        raise Usage(f"the snapshots {error.problem}") from None
    except OSError as error:
        raise Usage(_unreadable(error, arguments.out)) from None
    write([f"wrote {len(tables)} tables of {many(len(snapshots), 'account')} to {safe(arguments.out)}"])
    return DONE


COMMANDS = (Command(name="bulk", help="whole estates: tables in, plans out", arguments=_arguments, run=_run),)

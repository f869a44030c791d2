"""Tonight: `demo`, `plan`, `explain`, `check` and `schema`."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from datetime import date
from importlib.resources import files

from enrolpolicy.cli.command import DONE, FOUND, Command, Usage, on_argument, snapshot_argument
from enrolpolicy.cli.documents import asked, read
from enrolpolicy.cli.output import Progress, counted, show, style, write, write_json
from enrolpolicy.codec import dump, load
from enrolpolicy.explanation import explain, explain_all
from enrolpolicy.findings import findings
from enrolpolicy.planner import plan
from enrolpolicy.plans import ERROR, Finding, Plan
from enrolpolicy.schemas import DOCUMENTS, document_schema
from enrolpolicy.text import explanation_lines, finding_lines, plan_lines, summary_line

DEMO_ON = date(2026, 11, 23)


# demo


def _demo_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--snapshot", action="store_true", help="print that account's snapshot instead")


def _demo(arguments: Namespace) -> int:
    document = files("enrolpolicy").joinpath("demo.json").read_text(encoding="utf-8")
    if arguments.snapshot:
        write_json([document])
        return DONE
    snapshot, dress = load(document), style(sys.stdout)
    write(plan_lines(snapshot, plan(snapshot, on=DEMO_ON), dress))
    write(["", dress.paint("Try next", "bold"), *(f"  {line}" for line in TRY_NEXT)])
    return DONE


TRY_NEXT = (
    "enrolpolicy demo --snapshot > demo.json",
    f"enrolpolicy explain demo.json --on {DEMO_ON} --person priya-nair --course fire-safety",
    f"enrolpolicy plan demo.json --on {DEMO_ON.replace(month=12, day=1)}",
    f"enrolpolicy what-if demo.json --on {DEMO_ON} --set account.missing_since=none",
    f"enrolpolicy forecast demo.json --on {DEMO_ON}",
    "enrolpolicy init demo.db --from demo.json",
    f"enrolpolicy run demo.db --at {DEMO_ON}T01:00:00+00:00 --mail eml:letters",
    "enrolpolicy log demo.db",
)


# plan


def _plan_arguments(parser: ArgumentParser) -> None:
    snapshot_argument(parser)
    on_argument(parser, required=True)
    parser.add_argument("--person", action="append", default=[], metavar="ID", help="only for this person (repeatable)")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _plan(arguments: Namespace) -> int:
    snapshot = read(arguments.snapshot)
    with Progress("planning"):
        planned = asked(snapshot, lambda: plan(snapshot, on=arguments.on, people=arguments.person or None))
    if arguments.format == "json":
        write_json([dump(planned)])
    else:
        write(plan_lines(snapshot, planned, style(sys.stdout), arguments.person))
    return _verdict(planned)


def _verdict(planned: Plan) -> int:
    return FOUND if not planned.applyable or _errors(planned.findings) else DONE


def _errors(found: Iterable[Finding]) -> bool:
    return any(row.level == ERROR for row in found)


# explain


def _explain_arguments(parser: ArgumentParser) -> None:
    snapshot_argument(parser)
    on_argument(parser, required=True)
    parser.add_argument("--person", metavar="ID")
    parser.add_argument("--course", metavar="ID")
    parser.add_argument("--all", action="store_true", help="every person on every course that concerns them")
    parser.add_argument("--format", choices=("text", "json", "jsonl"), default="text")


def _explain(arguments: Namespace) -> int:
    if arguments.all == bool(arguments.person or arguments.course) or bool(arguments.person) != bool(arguments.course):
        raise Usage("explain takes either --all, or --person and --course; give one of the two")
    if arguments.format == "jsonl" and not arguments.all:
        raise Usage("--format jsonl goes with --all; for one explanation use --format json")
    if arguments.format == "json" and arguments.all:
        raise Usage("--all writes one line for each candidate; use --format jsonl")
    snapshot = read(arguments.snapshot)
    if arguments.all:
        show("planning …")
        rows = counted(
            explain_all(snapshot, on=arguments.on),
            of=lambda row: row.person,
            total=len(snapshot.personnel),
            doing="explaining",
            what="people",
        )
        if arguments.format == "jsonl":
            write_json(map(dump, rows))
        else:
            write(map(summary_line, rows))
        return DONE
    found = asked(
        snapshot, lambda: explain(snapshot, person=arguments.person, course=arguments.course, on=arguments.on)
    )
    if arguments.format == "json":
        write_json([dump(found)])
    else:
        write(explanation_lines(snapshot, found, style(sys.stdout)))
    return DONE


# check, schema


def _check_arguments(parser: ArgumentParser) -> None:
    snapshot_argument(parser)
    on_argument(parser, required=False)
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _check(arguments: Namespace) -> int:
    snapshot = read(arguments.snapshot)
    found = findings(snapshot, arguments.on)
    if arguments.format == "json":
        rows = [{"level": row.level, "code": row.code, "path": row.path, "message": row.message} for row in found]
        write_json([json.dumps(rows, ensure_ascii=False, indent=2) + "\n"])
    else:
        write(finding_lines(found, style(sys.stdout)) if found else ["nothing to notice"])
    return FOUND if _errors(found) else DONE


def _schema_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("document", choices=DOCUMENTS)


def _schema(arguments: Namespace) -> int:
    write_json([json.dumps(document_schema(arguments.document), indent=2) + "\n"])
    return DONE


COMMANDS = (
    Command(
        name="demo",
        help="tonight's plan for the account that ships with the package",
        arguments=_demo_arguments,
        run=_demo,
    ),
    Command(
        name="plan",
        help="what happens on a date, and who is left out",
        arguments=_plan_arguments,
        run=_plan,
    ),
    Command(
        name="explain",
        help="why one person is, or is not, enrolled on a course",
        arguments=_explain_arguments,
        run=_explain,
    ),
    Command(
        name="check",
        help="what cannot be meant so, in the data and the settings",
        arguments=_check_arguments,
        run=_check,
    ),
    Command(
        name="schema",
        help="the JSON Schema of a document",
        arguments=_schema_arguments,
        run=_schema,
    ),
)

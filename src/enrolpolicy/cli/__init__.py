"""The command line: documents in, plans and reasons out.

Data goes to standard output, everything else to standard error. Exit codes: 0 done; 1 findings of level error, or a
plan that is not applyable; 2 wrong usage; 65 the document was refused.

A command is a row (`enrolpolicy.cli.command`); the rows stand in the modules of what they are about.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version

from enrolpolicy.cli import ahead, estates, feeds, importing, nights, planning, reports
from enrolpolicy.cli.command import DONE, INTERRUPTED, REFUSED, USAGE, Command, Usage
from enrolpolicy.cli.output import closed, say
from enrolpolicy.errors import InvalidSnapshot

COMMANDS: tuple[Command, ...] = (
    *planning.COMMANDS,
    *nights.COMMANDS,
    *ahead.COMMANDS,
    *reports.COMMANDS,
    *feeds.COMMANDS,
    *importing.COMMANDS,
    *estates.COMMANDS,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stopped:  # argparse has said why
        return stopped.code if isinstance(stopped.code, int) else USAGE
    run: Callable[[argparse.Namespace], int] = arguments.run
    if closed(sys.stdout):
        say("enrolpolicy: standard output is closed, so there is nowhere to write to; open it")
        return USAGE
    try:
        code = run(arguments)
        sys.stdout.flush()
    except Usage as error:
        say(f"enrolpolicy: {error}")
        return USAGE
    except InvalidSnapshot as error:
        for problem in error.problems:
            say(f"{problem.path}: {problem.message}")
        if error.more:
            say(f"and {error.more} more")
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough
        _write_no_more()
        return DONE
    except OSError as error:  # what reads files tells its own errors
        _write_no_more()
        reason = (error.strerror or "it cannot be written to").lower()
        say(f"enrolpolicy: standard output: {reason}; what was written is not complete")
        return USAGE
    return code


def _write_no_more() -> None:
    """Let what is left to write go nowhere, so that nothing is said about it at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="enrolpolicy", description="Who is re-enrolled tonight, who is not, and why.")
    parser.add_argument("--version", action="version", version=f"enrolpolicy {_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        one = commands.add_parser(command.name, help=command.help)
        command.arguments(one)
        one.set_defaults(run=command.run)
    return parser


def _version() -> str:
    try:
        return version("enrolpolicy")
    except PackageNotFoundError:  # run from its sources
        return "(not installed)"

"""What would be different: `what-if`."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from enrolpolicy.cli.command import DONE, Command, Usage, format_argument, on_argument, snapshot_argument
from enrolpolicy.cli.documents import asked, content, read
from enrolpolicy.cli.output import Progress, style, write, write_json
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Snapshot
from enrolpolicy.text import safe

if TYPE_CHECKING:
    from enrolpolicy.ahead.whatif import Supposition


def _what_if_arguments(parser: ArgumentParser) -> None:
    snapshot_argument(parser)
    on_argument(parser, required=True)
    settings = "account.NAME=VALUE, course.ID.NAME=VALUE or person.ID.auto_enrol=VALUE (repeatable, as the others are)"
    parser.add_argument("--set", action="append", default=[], metavar="SETTING", help=settings)
    parser.add_argument("--opt-out", action="append", default=[], metavar="PERSON:COURSE", help="out of one course")
    parser.add_argument("--opt-in", action="append", default=[], metavar="PERSON:COURSE", help="back in again")
    parser.add_argument("--cancel", action="append", default=[], metavar="ENROLMENT", help="cancel a booking")
    parser.add_argument(
        "--top-up", action="append", default=[], type=_credits, metavar="N", help="so many more credits"
    )
    parser.add_argument("--changes", metavar="FILE", help="changes as JSON, which are made first")
    format_argument(parser)


def _credits(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= len("999999999"):
        return int(text)
    raise ArgumentTypeError(f"`{safe(text[:40])}` is not a number of credits, from 0 to 999999999")


def _what_if(arguments: Namespace) -> int:
    from enrolpolicy.ahead.whatif import what_if  # noqa: PLC0415
    from enrolpolicy.cli.what_if_text import difference_lines  # noqa: PLC0415
    from enrolpolicy.codec import dump  # noqa: PLC0415

    if arguments.snapshot == arguments.changes == "-":
        raise Usage("standard input can be the snapshot or the changes, not both; give one of them as a file")
    snapshot = read(arguments.snapshot)
    changes = asked(snapshot, lambda: _changes(snapshot, arguments))
    if not changes:
        raise Usage(
            "nothing is to be different; say what with --set, --opt-out, --opt-in, --cancel, --top-up or --changes"
        )
    with Progress("planning twice"):
        found = what_if(snapshot, changes, on=arguments.on)
    if arguments.format == "json":
        write_json([dump(found)])
    else:
        write(difference_lines(snapshot, changes, found, style(sys.stdout)))
    return DONE


def _changes(snapshot: Snapshot, arguments: Namespace) -> "list[Supposition]":
    """Every change asked for, each read against the snapshot in which those before it are made."""
    from enrolpolicy.ahead.whatif import supposed  # noqa: PLC0415

    found: list[Supposition] = []
    try:
        for make in _makers(arguments):
            change = make(snapshot)
            _cancellable(snapshot, change)
            snapshot = supposed(snapshot, [change], on=arguments.on)
            found.append(change)
    except InvalidValue as error:
        raise Usage(safe(str(error))) from None
    return found


def _makers(arguments: Namespace) -> "Iterator[Callable[[Snapshot], Supposition]]":
    from enrolpolicy.ahead.amending import load_changes  # noqa: PLC0415
    from enrolpolicy.ahead.whatif import TopUp  # noqa: PLC0415
    from enrolpolicy.ahead.words import pair, setting  # noqa: PLC0415
    from enrolpolicy.changes import CancelEnrolment, ChangeOptOut  # noqa: PLC0415

    def opted(words: str, out: bool) -> "Callable[[Snapshot], Supposition]":
        def make(snapshot: Snapshot) -> ChangeOptOut:
            person, course = pair(snapshot, words)
            return ChangeOptOut(person=person, course=course, opted_out=out)

        return make

    if arguments.changes is not None:
        for change in load_changes(content(arguments.changes, "a JSON file of changes")):
            yield partial(_as_it_is, change)
    for words in arguments.set:
        yield partial(setting, words=words)
    for words in arguments.opt_out:
        yield opted(words, out=True)
    for words in arguments.opt_in:
        yield opted(words, out=False)
    for id in arguments.cancel:
        yield partial(_as_it_is, CancelEnrolment(enrolment=id))
    for credits in arguments.top_up:
        yield partial(_as_it_is, TopUp(credits=credits))


def _as_it_is(change: "Supposition", _: Snapshot) -> "Supposition":
    return change


def _cancellable(snapshot: Snapshot, change: "Supposition") -> None:
    from enrolpolicy.cancellation import UNKNOWN, CancelRefused, cancel  # noqa: PLC0415
    from enrolpolicy.changes import CancelEnrolment  # noqa: PLC0415

    if isinstance(change, CancelEnrolment):
        answer = cancel(snapshot, change.enrolment)
        if isinstance(answer, CancelRefused) and answer.code != UNKNOWN:
            raise Usage(f"`{safe(change.enrolment[:80])}` cannot be cancelled: {answer.sentence}")


COMMANDS = (
    Command(
        name="what-if",
        help="what would be different tonight if something were changed",
        arguments=_what_if_arguments,
        run=_what_if,
    ),
)

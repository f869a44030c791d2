"""What comes up, for a calendar to subscribe to: `calendar`."""

from argparse import ArgumentParser, Namespace

from enrolpolicy.cli.command import DONE, Command, on_argument, snapshot_argument
from enrolpolicy.cli.documents import asked, read
from enrolpolicy.cli.files import write_file
from enrolpolicy.cli.output import say, write_json


def _arguments(parser: ArgumentParser) -> None:
    snapshot_argument(parser)
    on_argument(parser, required=True)
    parser.add_argument("--person", action="append", metavar="ID", help="only of this person (repeatable)")
    parser.add_argument("--course", action="append", metavar="ID", help="only of this course (repeatable)")
    parser.add_argument("--division", action="append", metavar="ID", help="only of this division (repeatable)")
    parser.add_argument("--out", metavar="FILE", help="the file to write, instead of standard output")


def _calendar(arguments: Namespace) -> int:
    from enrolpolicy.ahead.feeds import calendar_entries, calendar_feed  # noqa: PLC0415 - only this command needs it

    snapshot = read(arguments.snapshot)
    entries = asked(
        snapshot,
        lambda: calendar_entries(
            snapshot,
            on=arguments.on,
            people=arguments.person,
            courses=arguments.course,
            divisions=arguments.division,
        ),
    )
    feed = calendar_feed(entries, account=snapshot.account.id, on=arguments.on)
    if arguments.out is None:
        write_json([feed])
    else:
        write_file(arguments.out, feed)
        say(f"wrote {len(entries):,} {'entry' if len(entries) == 1 else 'entries'} to {arguments.out}")
    return DONE


COMMANDS = (
    Command(
        name="calendar",
        help="expiries and window openings, as an iCalendar feed",
        arguments=_arguments,
        run=_calendar,
    ),
)

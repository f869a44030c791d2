"""A page to look at: `report`."""

from argparse import ArgumentParser, Namespace

from enrolpolicy.cli.command import DONE, Command, Usage, on_argument, snapshot_argument
from enrolpolicy.cli.documents import read
from enrolpolicy.cli.files import write_file
from enrolpolicy.cli.output import say, show


def _arguments(parser: ArgumentParser) -> None:
    snapshot_argument(parser)
    on_argument(parser, required=True)
    parser.add_argument("--out", required=True, metavar="FILE", help="the HTML file to write")


def _report(arguments: Namespace) -> int:
    from enrolpolicy.htmlreport import MissingExtra, report_page  # noqa: PLC0415 - only this command needs it

    snapshot = read(arguments.snapshot)
    try:
        page = report_page(snapshot, on=arguments.on, progress=lambda doing: show(f"{doing} …"))
    except MissingExtra as error:
        raise Usage(str(error)) from None
    show("")
    write_file(arguments.out, page)
    say(f"wrote {arguments.out}; open it in a browser")
    return DONE


COMMANDS = (
    Command(
        name="report",
        help="tonight, the year ahead and the coverage, as one HTML page",
        arguments=_arguments,
        run=_report,
    ),
)

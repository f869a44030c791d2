"""The spreadsheet people already have: `import`."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve

from enrolpolicy.cli.command import DONE, FOUND, Command, Usage
from enrolpolicy.cli.documents import content
from enrolpolicy.cli.files import write_file
from enrolpolicy.cli.output import Progress, style, write, write_json
from enrolpolicy.text import Style, safe, wrapped

if TYPE_CHECKING:
    from enrolpolicy.matrix import Imported, Remark, Sheet, Unread

MOST_PLACES = 100


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("matrix", metavar="MATRIX", help="a CSV file or an .xlsx workbook, or - for standard input")
    parser.add_argument("--account", metavar="ID", help="the account the people belong to")
    parser.add_argument("--mapping", metavar="FILE", help="a TOML file that says what the columns and courses are")
    parser.add_argument("--sheet", metavar="NAME", help="the worksheet, where a workbook has several")
    parser.add_argument("--dates", choices=("dmy", "mdy", "iso"), help="how dates are written")
    parser.add_argument("--cells", choices=("completed", "expires"), help="what dates are whose column does not say it")
    parser.add_argument("--encoding", default="utf-8-sig", metavar="NAME", help="of a CSV file; UTF-8 unless given")
    parser.add_argument("--out", metavar="FILE", help="the snapshot to write; without it, only what was found is told")
    parser.add_argument("--accept-partial", action="store_true", help="write it although not all was understood")
    parser.add_argument("--list", metavar="FILE", help="write what was not understood as CSV, too")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _import(arguments: Namespace) -> int:
    from enrolpolicy import matrix  # noqa: PLC0415 - only this command needs it
    from enrolpolicy.codec import dump  # noqa: PLC0415

    mapping = matrix.Mapping()
    if arguments.mapping is not None:
        mapping = matrix.load_mapping(content(arguments.mapping, "a TOML file"))
    if arguments.dates is not None:
        mapping = evolve(mapping, dates=matrix.Order(arguments.dates))
    if arguments.cells is not None:
        mapping = evolve(mapping, cells=matrix.Kind(arguments.cells))
    with Progress("reading"):
        sheet = _sheet(arguments, mapping.sheet)
        found = matrix.read_matrix(sheet, account=arguments.account, mapping=mapping)
    out: str | None = arguments.out if arguments.accept_partial or not found.unread else None
    if arguments.list is not None:
        write_file(arguments.list, _listing(found.unread))
    if out is not None:
        write_file(out, dump(found.snapshot))
    if arguments.format == "json":
        write_json([json.dumps(_document(found, out is not None), ensure_ascii=False, indent=2) + "\n"])
    else:
        write(_lines(found, arguments.out, out is not None, style(sys.stdout)))
    return FOUND if found.unread else DONE


def _sheet(arguments: Namespace, said: str | None) -> "Sheet":
    from enrolpolicy import matrix  # noqa: PLC0415

    file = content(arguments.matrix, "a CSV file or an .xlsx workbook")
    try:
        return matrix.sheet_of(file, arguments.matrix, sheet=arguments.sheet or said, encoding=arguments.encoding)
    except matrix.MissingExtra as error:
        raise Usage(str(error)) from None
    except LookupError:
        raise Usage(f"`{safe(arguments.encoding)}` is no encoding; use one such as `utf-8` or `cp1252`") from None


def _listing(unread: Sequence["Unread"]) -> str:
    """What was not understood, as CSV to go through in a spreadsheet."""
    from enrolpolicy.tabular import table  # noqa: PLC0415

    heads = ("sheet", "row", "column", "code", "value", "what to do")
    return table(heads, ((row.sheet, row.row, row.column, row.code, row.value, row.message) for row in unread))


# How it looks


def _document(found: "Imported", written: bool) -> dict[str, Any]:
    snapshot = found.snapshot
    return {
        "account": snapshot.account.id,
        "people": len(snapshot.personnel),
        "courses": len(snapshot.courses),
        "records": len(snapshot.records),
        "written": written,
        "unread": [
            {
                "place": row.place,
                "sheet": row.sheet,
                "row": row.row,
                "column": row.column,
                "code": row.code,
                "value": row.value,
                "message": row.message,
            }
            for row in found.unread
        ],
        "assumed": [_remark(row) for row in found.assumed],
        "untold": [_remark(row) for row in found.untold],
    }


def _remark(row: "Remark") -> dict[str, Any]:
    return {"code": row.code, "message": row.message, "about": list(row.about)}


def _lines(found: "Imported", out: str | None, written: bool, dress: Style) -> Iterator[str]:
    snapshot = found.snapshot
    counts = (
        f"{snapshot.account.id} · {len(snapshot.personnel):,} people, {len(snapshot.courses):,} courses, "
        f"{len(snapshot.records):,} training records"
    )
    yield dress.paint(safe(counts), "bold")
    if found.unread:
        yield ""
        yield dress.paint(f"Not understood {len(found.unread):,}", "bold")
        yield from _unread_lines(found.unread, dress)
    for title, rows in (("Taken to be so", found.assumed), ("Still to be told", found.untold)):
        if rows:
            yield ""
            yield dress.paint(f"{title} {len(rows)}", "bold")
            for row in rows:
                yield f"  {dress.paint(row.code, 'yellow')}"
                yield from wrapped(row.message, indent="    ")
    yield ""
    yield from wrapped(_ending(found.unread, out, written))


def _unread_lines(unread: Sequence["Unread"], dress: Style) -> Iterator[str]:
    """What was not understood, by what is wrong with it, and where."""
    groups: dict[tuple[str, str], list[Unread]] = {}
    for row in unread:
        groups.setdefault((row.code, row.message), []).append(row)
    for (code, message), rows in groups.items():
        yield f"  {dress.paint(code, 'yellow')} {len(rows):,}"
        yield from wrapped(message, indent="    ")
        places = [f"{row.place} `{row.value[:40]}`" for row in rows[:MOST_PLACES]]
        rest = f" and {len(rows) - MOST_PLACES:,} more, which --list writes" if len(rows) > MOST_PLACES else ""
        yield from wrapped(", ".join(places) + rest, indent="    ")


def _ending(unread: Sequence["Unread"], out: str | None, written: bool) -> str:
    if written:
        part = " what was understood" if unread else ""
        return f"wrote{part or ' the snapshot'} to {out}; next, look at it with `enrolpolicy check {out} --on DATE`"
    if out is None:
        return "nothing was written; give --out FILE for the snapshot"
    return (
        "nothing was written; correct the cells above, tell more in a mapping, "
        "or take what was understood with --accept-partial"
    )


COMMANDS = (
    Command(
        name="import",
        help="a training matrix, from a spreadsheet, as a snapshot",
        arguments=_arguments,
        run=_import,
    ),
)

"""A file is read whole or refused: what it is, its content says; what cannot be trusted in it is named."""

import io
import sys
import warnings
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrolpolicy import InvalidSnapshot
from enrolpolicy.matrix import Faulty, MissingExtra, Sheet, files, read_matrix, sheet_of
from enrolpolicy.matrix.cells import letters
from matrices import as_csv, as_workbook

DAY = date(2025, 1, 31)
ROWS: list[list[Any]] = [["Name", "Fire completed"], ["Ana", "2025-01-31"]]


def refusal(content: bytes, **said: Any) -> tuple[str, str]:
    with pytest.raises(InvalidSnapshot) as caught:
        sheet_of(content, "file", **said)
    [problem] = caught.value.problems
    assert problem.path == "file"
    return problem.code, problem.message


def rows(content: bytes, **said: Any) -> list[tuple[Any, ...]]:
    return list(sheet_of(content, "file", **said).rows)


class TestCsv:
    """Text is UTF-8 unless said otherwise; cells are separated by commas, semicolons or tabs; quotes are closed."""

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_separators_and_a_byte_order_mark(self, delimiter: str, mark: bytes) -> None:
        cells: list[list[Any]] = [*ROWS, ['O\'Brien, Bo; "B"\tO', "a\nb"]]
        content = as_csv(cells, delimiter).removeprefix(b"\xef\xbb\xbf")
        assert rows(mark + content) == [tuple(row) for row in cells]

    def test_rows_are_counted_as_a_spreadsheet_does(self) -> None:
        content = b'Name,Fire completed\r\n"A\nB",booked\r\n\r\nBo,booked\r\n'
        found = read_matrix(sheet_of(content, "m"), account="acme")
        assert [row.place for row in found.unread] == ["m!B2", "m!B4"]

    def test_other_encodings(self) -> None:
        latin = "Name,Fire completed\nZoë,booked\n".encode("cp1252")
        assert refusal(latin) == ("not-utf-8", "line 2 is not utf-8; save it as CSV UTF-8, or say `--encoding cp1252`")
        assert rows(latin, encoding="cp1252")[1] == ("Zoë", "booked")
        assert rows("Name,Zoë".encode("utf-16")) == [("Name", "Zoë")]

    @pytest.mark.parametrize(
        ("content", "code", "words"),
        [
            (b'Name,Fire\nAna,"2025', "not-csv", "line 2: a quotation mark is opened and never closed"),
            (b'Name,Fire\n"Ana"x,2025', "not-csv", "line 2: "),
            (b'Name,Fire\nAna,"' + b"x" * 200_000 + b'"', "not-csv", "more than 131,072 characters"),
            (b"Name,Fire\nA\0na,2025", "not-text", "line 2 holds a NUL"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old-workbook", "save it as .xlsx"),
            (b"PK\x03\x04 and no more", "not-a-workbook", "cut off or damaged"),
        ],
    )
    def test_what_is_refused(self, content: bytes, code: str, words: str) -> None:
        found = refusal(content)
        assert found[0] == code
        assert words in found[1]

    def test_a_row_of_another_width_may_have_shifted(self) -> None:
        content = b"Name,E-mail,Fire completed\nLi, Ana,a@b.example,2025-01-31\nBo,2025-01-31\nCy,,2025-01-31,,\n"
        found = read_matrix(sheet_of(content, "m"), account="acme")
        assert [(row.place, row.code) for row in found.unread] == [("m!2", "ragged-row"), ("m!3", "ragged-row")]
        assert [row.person for row in found.snapshot.records] == ["cy"]

    @given(st.binary(max_size=60))
    def test_any_bytes(self, content: bytes) -> None:
        try:
            assert isinstance(sheet_of(content, "m"), Sheet)
        except InvalidSnapshot as error:
            assert error.problems


def workbook(fill: Callable[[Any], None], **settings: Any) -> bytes:
    from openpyxl import Workbook

    book: Any = Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class TestWorkbooks:
    """Of a workbook its stored values count; colours, comments and formulas do not."""

    def test_values(self) -> None:
        def fill(book: Any) -> None:
            sheet = book.active
            for at, value in enumerate(
                ("x", 3, 2.5, True, DAY, datetime(2025, 1, 31, 13, 45), time(9), timedelta(1)), 1
            ):
                sheet.cell(2, at, value)
            sheet["A4"] = "#DIV/0!"
            sheet["B4"] = "=A2"
            sheet["C4"] = 0
            sheet["C4"].number_format = "dd/mm/yyyy"

        empty, values, gap, faults = rows(workbook(fill))
        assert (empty, gap) == ((), ())
        assert values[:6] == ("x", 3, 2.5, True, DAY, DAY)
        assert all(isinstance(cell, Faulty) for cell in values[6:])
        assert [cell.shown for cell in faults if isinstance(cell, Faulty)] == ["#DIV/0!", "formula", "00:00:00"]

    def test_a_formula_s_stored_value_is_read(self) -> None:
        plain = as_workbook([["Name", "Fire completed"], ["Ana", "=DATE(2025,1,31)"]])
        held = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(held, "w") as new:
            for entry in old.namelist():
                text = old.read(entry)
                new.writestr(entry, text.replace(b"<v></v>", b"<v>2025-01-31</v>").replace(b"<v />", b"<v>7</v>"))
        assert isinstance(rows(plain)[1][1], Faulty)
        assert rows(held.getvalue())[1][1] == 7

    def test_days_counted_from_1904(self) -> None:
        cells: list[list[Any]] = [["Name", "Fire completed"], ["Ana", DAY]]
        assert rows(as_workbook(cells, since_1904=True)) == rows(as_workbook(cells)) == [tuple(row) for row in cells]

    def test_heads_merged_over_two_columns(self) -> None:
        def fill(book: Any) -> None:
            sheet = book.active
            sheet.append([None, "Fire", None])
            sheet.append(["Name", "Completed", "Expiry"])
            sheet.append(["Ana", DAY, date(2026, 1, 31)])
            sheet.merge_cells("B1:C1")

        found = read_matrix(sheet_of(workbook(fill), "m"), account="acme")
        assert [(row.completed_on, row.expires_on) for row in found.snapshot.records] == [(DAY, date(2026, 1, 31))]

    def test_merged_cells_are_told(self) -> None:
        """One cell holds what is shown for several people; whether it is meant for them all, nobody here knows."""

        def fill(book: Any) -> None:
            sheet = book.active
            sheet.append(["Training matrix 2026"])
            sheet.append(["Name", "Role", "Division", "Fire completed", "Noise completed"])
            for name in ("Ana", "Bo", "Cy"):
                sheet.append([name, "Cook", "North", DAY, DAY])
            for merged in ("A1:E1", "D3:D4", "B4:B5", "C4:C5", "D5:E5", "A9:C9", "AB2:AD9"):
                sheet.merge_cells(merged)

        found = read_matrix(sheet_of(workbook(fill), "m"), account="acme")
        told = [(row.place, row.code, row.value) for row in found.unread]
        assert told == [(f"Sheet!{at}", "faulty-cell", "merged") for at in ("D4", "B5", "C5", "E5")]
        assert "unmerge the cells, and fill each" in found.unread[0].message
        assert len(found.snapshot.records) == 4

    def test_what_is_merged_far_beyond_the_rows_takes_no_time(self) -> None:
        def fill(book: Any) -> None:
            book.active.append(["Name", "Fire"])
            book.active.merge_cells("A1:B1")

        held = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(workbook(fill))) as old, zipfile.ZipFile(held, "w") as new:
            for entry in old.namelist():
                new.writestr(entry, old.read(entry).replace(b"A1:B1", b"A1:XFD1048576"))
        assert sheet_of(held.getvalue(), "m").merged <= {(0, 1)}

    def test_which_sheet(self) -> None:
        def fill(book: Any) -> None:
            book.active.title = "One"
            book.active["A1"] = "first"
            book.create_sheet("Two")["A1"] = "second"
            hidden = book.create_sheet("Hidden")
            hidden["A1"] = "third"
            hidden.sheet_state = "hidden"
            book.create_sheet("Empty")

        content = workbook(fill)
        assert refusal(content) == (
            "which-sheet", "has 2 sheets with something in them: `One`, `Two`; say `--sheet`, or `sheet` in a mapping",
        )  # fmt: skip
        assert rows(content, sheet="Two") == [("second",)]
        assert rows(content, sheet="Hidden") == [("third",)]
        assert refusal(content, sheet="Three")[0] == "unknown-sheet"
        assert refusal(workbook(lambda book: None))[0] == "which-sheet"

    def test_a_far_cell_and_a_false_size(self) -> None:
        def fill(book: Any) -> None:
            book.active["A1"] = "x"
            book.active["ZZ9000"] = "y"

        found = rows(workbook(fill))
        assert (len(found), len(found[-1]), found[-1][-1]) == (9000, 702, "y")

    def test_too_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        content = as_workbook(ROWS)
        monkeypatch.setattr(files, "MOST_CELLS", 3)
        assert refusal(content)[0] == "too-large"
        monkeypatch.setattr(files, "MOST_BYTES", 100)
        assert "unpacked" in refusal(content)[1]

    def test_without_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        content = as_workbook(ROWS)
        monkeypatch.setitem(sys.modules, "openpyxl", None)
        with pytest.raises(MissingExtra, match=r"pip install 'enrolpolicy\[xlsx\]'"):
            sheet_of(content, "file")

    def test_nothing_is_warned_about(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert rows(as_workbook(ROWS)) == [tuple(row) for row in ROWS]

    @settings(max_examples=30)
    @given(st.data())
    def test_damaged_ones(self, data: st.DataObject) -> None:
        content = bytearray(SOUND)
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
        try:
            assert isinstance(sheet_of(bytes(content), "m"), Sheet)
        except InvalidSnapshot as error:
            assert error.problems


SOUND = as_workbook(ROWS)


class TestLetters:
    """Columns are lettered as spreadsheets do it."""

    @given(st.integers(0, 20_000))
    def test_as_the_workbook_library_does(self, index: int) -> None:
        from openpyxl.utils import get_column_letter

        if index < 18_278:
            assert letters(index) == get_column_letter(index + 1)

"""A training matrix is read into a snapshot whole: what is in it comes out, what was not understood is named."""

from datetime import date
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from enrolpolicy import InvalidSnapshot, dump, load
from enrolpolicy.matrix import Imported, load_mapping, read_matrix, sheet_of
from matrices import Cells, Planted, as_csv, as_workbook, planted


def imported(content: bytes, made: Planted) -> Imported:
    sheet = sheet_of(content, "matrix")
    return read_matrix(sheet, account="acme", mapping=load_mapping(made.mapping))


def found_dirt(found: Imported) -> dict[str, str]:
    return {row.place.partition("!")[2]: row.code for row in found.unread}


def records_of(found: Imported) -> set[tuple[str, str, date, date | None]]:
    names = {course.id: course.name for course in found.snapshot.courses}
    return {(row.person, names[row.course], row.completed_on, row.expires_on) for row in found.snapshot.records}


def check(found: Imported, made: Planted) -> None:
    assert found_dirt(found) == made.dirt
    assert len(found.unread) == len(made.dirt)
    assert {person.id for person in found.snapshot.personnel} == made.people
    got = records_of(found)
    assert len(found.snapshot.records) == len(got)
    # A completion that was reckoned from 28 February may have been the 29th.
    assert {(p, c, _leapless(d), e) for p, c, d, e in got} == {(p, c, _leapless(d), e) for p, c, d, e in made.truth}


def _leapless(day: date) -> date:
    return day.replace(day=28) if (day.month, day.day) == (2, 29) else day


class TestPlantedDirt:
    """Every dirty cell is named with its place and kind, no clean one is, and every clean date is in the snapshot."""

    def test_300_people_by_40_columns_as_csv(self) -> None:
        made = planted(1)
        assert len(made.dirt) > 150
        assert len(made.truth) > 4_000
        check(imported(as_csv(made.cells), made), made)

    def test_300_people_by_40_columns_as_a_workbook(self) -> None:
        made = planted(3)
        check(imported(as_workbook(_without_bells(made)), made), made)

    @settings(max_examples=25)
    @given(st.integers(0, 10**9), st.integers(1, 12), st.integers(3, 9), st.sampled_from([0.0, 0.05, 0.5]))
    def test_any_size_and_amount(self, seed: int, people: int, columns: int, share: float) -> None:
        made = planted(seed, people, columns, share)
        check(imported(as_csv(made.cells), made), made)

    @settings(max_examples=6)
    @given(st.integers(0, 10**9), st.booleans())
    def test_in_workbooks_of_either_date_system(self, seed: int, since_1904: bool) -> None:
        made = planted(seed, 8, 9, 0.1)
        check(imported(as_workbook(_without_bells(made), since_1904=since_1904), made), made)

    @settings(max_examples=10)
    @given(st.integers(0, 10**9))
    def test_the_order_of_rows_does_not_matter(self, seed: int) -> None:
        made = planted(seed, 6, 6, 0.1)
        body = [row for row in made.cells[3:] if any(row)]
        turned = [*made.cells[:3], *reversed(body)]
        straight, other = (
            read_matrix(sheet_of(as_csv(cells), "m"), account="acme", mapping=load_mapping(made.mapping))
            for cells in ([*made.cells[:3], *body], turned)
        )
        assert dump(straight.snapshot) == dump(other.snapshot)
        assert sorted((row.code, row.value) for row in straight.unread) == sorted(
            (row.code, row.value) for row in other.unread
        )

    def test_the_snapshot_is_a_document_of_its_own(self) -> None:
        made = planted(5, 20, 9)
        snapshot = imported(as_csv(made.cells), made).snapshot
        assert dump(load(dump(snapshot))) == dump(snapshot)


def _without_bells(made: Planted) -> Cells:
    """A workbook cannot hold control characters; the same dirt with one it can hold."""
    return [[v.replace("\x07", "\u202e") if isinstance(v, str) else v for v in row] for row in made.cells]


class TestNothingIsLost:
    """Whatever stands in a cell, it is in the snapshot, means nothing to be recorded, or is named."""

    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
    def test_any_text(self, text: str) -> None:
        cells: Cells = [["Name", "Fire (completed)", "x"], ["Ana", text, "x"]]
        mapping = load_mapping('dates = "dmy"\nignore = ["x"]')
        try:
            found = read_matrix(sheet_of(as_csv(cells), "m"), account="acme", mapping=mapping)
        except InvalidSnapshot as error:
            assert error.problems[0].code == "not-csv"
            return
        words = {"", "-", "--", "–", "—", "none", "nil", "not done", "not taken"}
        if not found.snapshot.records and text.strip().casefold() not in words and not text.isspace():
            assert [row.place for row in found.unread] == ["m!B2"] or _means_something(text)

    def test_a_row_of_every_fault(self) -> None:
        made = planted(11, 60, 12, 0.9)
        found = imported(as_csv(made.cells), made)
        codes = {row.code for row in found.unread}
        assert {"not-a-date", "short-year", "wrong-order", "faulty-cell", "far-off-date", "too-long"} <= codes
        for row in islice(found.unread, 500):
            assert row.message[0].islower()
            assert not row.message.endswith(".")
            assert len(row.value) <= 500


def _means_something(text: str) -> bool:
    from enrolpolicy.matrix.words import MEANINGS, key

    return key(text) in MEANINGS

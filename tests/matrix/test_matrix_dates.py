"""A date in a matrix is read where it can mean one day only, and refused where it could mean two."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy.matrix import Imported, Mapping, Order, Sheet, read_matrix
from enrolpolicy.matrix.day import EARLIEST, LATEST, NoDay, Reading, day_of

DAYS = st.dates(EARLIEST, LATEST)
DMY, MDY, ISO = (Reading(order=order) for order in Order)
UNSETTLED = Reading(unsettled="nobody said")


def code(text: str, reading: Reading = DMY) -> str:
    found = day_of(text, reading)
    assert isinstance(found, NoDay), found
    return found.code


def matrix(*texts: str, **said: object) -> Imported:
    rows = (("Name", "Fire (completed)"), *((f"P{number}", text) for number, text in enumerate(texts)))
    return read_matrix(Sheet(name="M", rows=rows), account="acme", mapping=Mapping(**said))  # type: ignore[arg-type]


class TestWhatMeansOneDay:
    """A year in front, a month in letters, or a declared order leave one day, however it is punctuated."""

    @given(DAYS, st.sampled_from([DMY, MDY, ISO, UNSETTLED]))
    def test_year_first_and_months_in_letters(self, day: date, reading: Reading) -> None:
        for text in (
            f"{day}",
            f" {day} ",
            f"{day:%Y/%m/%d}",
            f"{day:%Y.%m.%d}",
            f"{day.year}-{day.month}-{day.day}",
            f"{day}T00:00:00",
            f"{day} 13:45",
            f"{day.day} {day:%b} {day.year}",
            f"{day.day}{day:%b}{day.year}",
            f"{day.day}st {day:%B}, {day.year}",
            f"{day.day}-{day:%B}-{day.year}".upper(),
            f"{day:%B} {day.day}, {day.year}",
            f"{day:%b}. {day.day}th {day.year}",
        ):
            assert day_of(text, reading) == day, text

    @given(DAYS, st.sampled_from("/.-"))
    def test_a_declared_order(self, day: date, separator: str) -> None:
        first, second = f"{day:%d}", f"{day:%m}"
        assert day_of(separator.join((first, second, str(day.year))), DMY) == day
        assert day_of(separator.join((second, first, str(day.year))), MDY) == day
        assert day_of(f"{day.day} {separator} {day.month} {separator} {day.year} 00:00:00", DMY) == day
        assert day_of(f"{first} {second} {day.year}", DMY) == day

    @given(DAYS)
    def test_a_declared_century(self, day: date) -> None:
        told = Reading(order=Order.DAY_FIRST, short_years=day.year // 100 * 100)
        assert day_of(f"{day:%d.%m.%y}", told) == day
        assert day_of(f"{day.day} {day:%b} {day:%y}", told) == day


class TestWhatIsRefused:
    """Everything else is refused with the kind of it; nothing is guessed, and nothing takes long."""

    @given(DAYS)
    def test_no_order(self, day: date) -> None:
        found = day_of(f"{day:%d/%m/%Y}", UNSETTLED)
        if day.day == day.month:
            assert found == day
        else:
            assert isinstance(found, NoDay)
            assert found.code == "ambiguous-date"
            assert ("can mean two days" in found.message) == (day.day <= 12)
            assert "nobody said" in found.message

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("31/02/2025", "no-such-date"),
            ("2025-02-29", "no-such-date"),
            ("00/01/1900", "no-such-date"),
            ("13/13/2025", "no-such-date"),
            ("12/25/2024", "wrong-order"),
            ("1.5.25", "short-year"),
            ("25-12-01", "short-year"),
            ("3 Mar 25", "short-year"),
            ("01/01/1949", "far-off-date"),
            ("01/01/2101", "far-off-date"),
            ("01/01/0025", "far-off-date"),
            ("45678", "bare-number"),
            ("45678.0", "bare-number"),
            ("booked", "not-a-date"),
            ("3 Foo 2025", "not-a-date"),
            ("3/4/5/2025", "not-a-date"),
            ("03/04-2025", "not-a-date"),
            ("03/04/202", "not-a-date"),
            ("003/04/2025", "not-a-date"),
            ("2025/04/2025", "not-a-date"),
            ("03/04/20255", "not-a-date"),
            ("2025-01-01T00:00:00Z", "not-a-date"),
            ("٠٣/٠٤/٢٠٢٥", "not-a-date"),
            ("exp 03/04/2025", "not-a-date"),
            ("03/04/2025?", "not-a-date"),
            ("March 2025", "not-a-date"),
            ("2025", "bare-number"),
            ("1" * 10**6, "not-a-date"),
            ("/" * 10**6, "not-a-date"),
        ],
    )
    def test_kinds(self, text: str, kind: str) -> None:
        assert code(text) == kind

    def test_both_ends_of_what_is_likely(self) -> None:
        assert day_of("01/01/1950", DMY) == EARLIEST
        assert day_of("31/12/2100", DMY) == LATEST

    def test_the_calendar_in_either_order(self) -> None:
        assert code("31/02/2025", UNSETTLED) == "no-such-date"
        assert code("25/12/2024", MDY) == "wrong-order"
        assert code("31/31/2024", MDY) == "no-such-date"

    def test_declared_to_begin_with_the_year(self) -> None:
        assert code("03/04/2025", ISO) == "wrong-order"
        assert code("03/03/2025", ISO) == "wrong-order"

    @given(st.text(max_size=60), st.sampled_from([DMY, MDY, ISO, UNSETTLED]))
    def test_any_text(self, text: str, reading: Reading) -> None:
        found = day_of(text, reading)
        assert isinstance(found, NoDay) or any(char.isdigit() for char in text)

    @given(st.lists(st.sampled_from(list("0123456789/.- :TZapr")), max_size=14).map("".join))
    def test_nearly_dates(self, text: str) -> None:
        """Whatever is read in one order is either the same day in the other, or refused in both when there is none."""
        first, second, none = (day_of(text, reading) for reading in (DMY, MDY, UNSETTLED))
        if isinstance(none, date):
            assert first == second == none
        if isinstance(first, date) and isinstance(second, date):
            assert (first == second) == isinstance(none, date)


class TestWhatSettlesTheOrder:
    """The order is the one declared, else the only one the sheet's own dates leave; else none of them is read."""

    def test_nothing_settles_it(self) -> None:
        found = matrix("03/04/2025", "04/05/2024", "2025-01-02", "07/07/2024")
        assert [(row.place, row.code) for row in found.unread] == [
            ("M!B2", "ambiguous-date"),
            ("M!B3", "ambiguous-date"),
        ]
        assert "nothing in the sheet settles" in found.unread[0].message
        assert "--dates dmy" in found.unread[0].message
        assert len(found.snapshot.records) == 2

    @pytest.mark.parametrize(("witness", "day"), [("25/12/2024", date(2025, 4, 3)), ("12/25/2024", date(2025, 3, 4))])
    def test_one_date_settles_it_and_that_is_said(self, witness: str, day: date) -> None:
        found = matrix("03/04/2025", witness)
        assert found.unread == ()
        assert {row.completed_on for row in found.snapshot.records} == {day, date(2024, 12, 25)}
        [remark] = [row for row in found.assumed if row.code == "order-settled"]
        assert f"B3 `{witness}`" in remark.message

    def test_contradictions_settle_nothing(self) -> None:
        found = matrix("03/04/2025", "25/12/2024", "12/26/2024", "26/12/2024", "05/05/2025")
        assert [row.place for row in found.unread] == ["M!B2", "M!B3", "M!B4", "M!B5"]
        assert "the day first in 2 dates (B3 `25/12/2024`)" in found.unread[0].message
        assert "the month first in 1 dates (B4 `12/26/2024`)" in found.unread[0].message

    @given(st.lists(DAYS, min_size=1, max_size=6), st.booleans())
    def test_a_sheet_of_one_order_is_never_read_in_the_other(self, days: list[date], swapped: bool) -> None:
        form = "%m/%d/%Y" if swapped else "%d/%m/%Y"
        found = matrix(*(day.strftime(form) for day in days))
        assert {row.completed_on for row in found.snapshot.records} <= set(days)
        assert len(found.snapshot.records) + len(found.unread) == len(days)

    @given(st.lists(DAYS, min_size=1, max_size=6))
    def test_what_is_declared_is_read_whole(self, days: list[date]) -> None:
        found = matrix(*(f"{day:%d/%m/%Y}" for day in days), dates=Order.DAY_FIRST)
        assert [row.completed_on for row in found.snapshot.records] == days

    def test_what_is_no_date_settles_nothing(self) -> None:
        found = matrix("03/04/2025", "31/02/2025", "25/12/24", "99/99/2024")
        assert [row.code for row in found.unread] == ["ambiguous-date", "no-such-date", "short-year", "no-such-date"]

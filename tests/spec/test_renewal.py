"""Rule 2: which record counts, until when, when its window opens, and which renewal that makes it."""

import calendar
from datetime import date, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import Account, Anchor, Course, Delivery, Status, TrainingRecord, Validity
from enrolpolicy.dates import add_days, add_months
from enrolpolicy.renewal import Lead, LeadSource, after, expiries, lead_of, renewal

ON = date(2026, 11, 23)
YEAR = Validity(months=12)
days = st.dates(date(2000, 1, 1), date(2040, 12, 31))


def record(completed_on: date, expires_on: date | None = None, **more: bool) -> TrainingRecord:
    return TrainingRecord(person="ana", course="fire", completed_on=completed_on, expires_on=expires_on, **more)


records = st.builds(
    record,
    days,
    st.one_of(st.none(), days),
    never_expires=st.booleans(),
    voided=st.booleans(),
)


class TestMonths:
    """Months are added once, from the anchor, and end on a month's last day where it has no such day."""

    def test_every_day_of_five_years(self) -> None:
        start = date(2023, 1, 1)
        for offset in range(5 * 366):
            day = start + timedelta(offset)
            for months in (1, 2, 3, 6, 11, 12, 13, 18, 24, 36, 48, 60, 1200):
                year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
                last = calendar.monthrange(year, month)[1]
                assert add_months(day, months) == date(year, month, min(day.day, last))

    def test_a_leap_day_after_a_year(self) -> None:
        assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
        assert add_months(date(2024, 2, 29), 48) == date(2028, 2, 29)

    def test_never_chained(self) -> None:
        assert add_months(date(2026, 1, 31), 2) == date(2026, 3, 31)

    def test_past_the_end_of_the_calendar(self) -> None:
        assert add_months(date(9999, 11, 30), 1) == date(9999, 12, 30)
        assert add_months(date(9999, 12, 1), 1) is None
        assert add_days(date(9999, 12, 30), 1) == date.max
        assert add_days(date(9999, 12, 30), 2) is None


class TestExpiry:
    """An expiry that is written wins; else it follows from the course's validity; else there is none."""

    @pytest.mark.parametrize(
        ("row", "validity", "expected"),
        [
            (record(date(2026, 1, 5), date(2026, 6, 1)), YEAR, date(2026, 6, 1)),
            (record(date(2026, 1, 5), date(2026, 6, 1), never_expires=True), YEAR, date(2026, 6, 1)),
            (record(date(2026, 1, 5)), YEAR, date(2027, 1, 5)),
            (record(date(2026, 1, 5)), Validity(days=10), date(2026, 1, 15)),
            (record(date(2026, 1, 5), never_expires=True), YEAR, None),
            (record(date(2026, 1, 5)), None, None),
            (record(date(2024, 2, 29)), YEAR, date(2025, 2, 28)),
        ],
    )
    def test_one_record(self, row: TrainingRecord, validity: Validity | None, expected: date | None) -> None:
        assert renewal([row], validity, 30, ON).expires_on == expected

    def test_past_the_end_of_the_calendar_is_never(self) -> None:
        assert after(date(9999, 6, 1), YEAR) is None
        found = renewal([record(date(9999, 6, 1))], YEAR, 30, date(9999, 7, 1))
        assert (found.status, found.expires_on) == (Status.CURRENT, None)


class TestTheAnniversary:
    """With the anchor `previous-expiry`, a renewal taken by the old expiry lasts from that expiry, not from itself."""

    KEPT = Validity(months=12, anchor=Anchor.PREVIOUS_EXPIRY)
    FIRST = record(date(2025, 1, 10))

    def expires_on(self, *rows: TrainingRecord) -> date | None:
        return renewal(rows, self.KEPT, 30, ON).expires_on

    @pytest.mark.parametrize(
        ("renewed_on", "expected"),
        [
            (date(2025, 12, 20), date(2027, 1, 10)),
            (date(2026, 1, 10), date(2027, 1, 10)),  # the old expiry itself is still in time
            (date(2026, 1, 11), date(2027, 1, 11)),
        ],
    )
    def test_in_time_or_late(self, renewed_on: date, expected: date) -> None:
        assert self.expires_on(self.FIRST, record(renewed_on)) == expected
        assert self.expires_on(record(renewed_on), self.FIRST) == expected

    def test_year_after_year(self) -> None:
        rows = [self.FIRST, record(date(2025, 12, 1)), record(date(2026, 11, 1))]
        assert self.expires_on(*rows) == date(2028, 1, 10)

    def test_the_record_before_it_is_of_an_earlier_day(self) -> None:
        same_day = [record(date(2025, 12, 1)), record(date(2025, 12, 1), date(2025, 12, 31))]
        assert self.expires_on(self.FIRST, *same_day) == date(2027, 1, 10)

    def test_of_several_on_that_day_the_latest_expiry(self) -> None:
        short = record(date(2025, 1, 10), date(2025, 12, 5))
        assert self.expires_on(self.FIRST, short, record(date(2025, 12, 20))) == date(2027, 1, 10)

    def test_of_several_on_that_day_never_is_the_latest(self) -> None:
        """What never expires has no expiry to count from, whatever else was recorded that day."""
        never = record(date(2025, 1, 10), never_expires=True)
        renewed = record(date(2025, 12, 20))
        for rows in ([self.FIRST, never, renewed], [never, self.FIRST, renewed]):
            assert expiries(rows, self.KEPT)[-1] == (date(2025, 12, 20), date(2026, 12, 20))

    def test_a_voided_one_is_not_before_it(self) -> None:
        assert self.expires_on(evolve(self.FIRST, voided=True), record(date(2025, 12, 20))) == date(2026, 12, 20)

    def test_after_one_that_never_expires_it_is_its_own(self) -> None:
        rows = [record(date(2024, 1, 1), never_expires=True), record(date(2025, 1, 10), voided=True)]
        assert renewal([*rows, record(date(2025, 12, 20))], self.KEPT, 30, ON).expires_on is None

    def test_what_is_written_is_kept(self) -> None:
        assert self.expires_on(self.FIRST, record(date(2025, 12, 20), date(2027, 5, 5))) == date(2027, 5, 5)


class TestTheCountedRecord:
    """Of what is not voided and was completed by tonight, what lasts longest; among equals what was completed last."""

    @given(st.lists(records, max_size=5))
    def test_lasts_longest(self, rows: list[TrainingRecord]) -> None:
        found = renewal(rows, YEAR, 30, ON)
        past = [(row.completed_on, _expiry(row)) for row in rows if not row.voided and row.completed_on <= ON]
        assert (found.status is Status.MISSING) == (past == [])
        if past:
            assert (found.completed_on, found.expires_on) in past
            for completed_on, expires_on in past:
                if found.expires_on is None:
                    assert expires_on is not None or completed_on <= (found.completed_on or date.min)
                else:
                    assert expires_on is not None
                    assert (expires_on, completed_on) <= (found.expires_on, found.completed_on)

    def test_never_is_later_than_the_last_day_of_the_calendar(self) -> None:
        rows = [record(date(2026, 1, 1), date.max), record(date(2020, 1, 1), never_expires=True)]
        assert renewal(rows, YEAR, 30, ON).expires_on is None

    def test_an_older_one_that_lasts_longer(self) -> None:
        rows = [record(date(2024, 1, 1), date(2028, 1, 1)), record(date(2026, 1, 1), date(2027, 1, 1))]
        assert renewal(rows, None, 30, ON).completed_on == date(2024, 1, 1)


def _expiry(row: TrainingRecord) -> date | None:
    if row.expires_on is not None or row.never_expires:
        return row.expires_on
    return add_months(row.completed_on, 12)


class TestLead:
    """The course's own days, else the account's, where custom expiry is on; else 30. Stored days that do not count are
    remembered, so that an explanation can say so."""

    @pytest.mark.parametrize(
        ("custom", "own", "common", "expected"),
        [
            (True, 10, 20, Lead(10, LeadSource.COURSE)),
            (True, 0, 20, Lead(0, LeadSource.COURSE)),
            (True, None, 20, Lead(20, LeadSource.ACCOUNT)),
            (True, None, 0, Lead(0, LeadSource.ACCOUNT)),
            (True, None, None, Lead(30, LeadSource.DEFAULT)),
            (False, 10, 20, Lead(30, LeadSource.DEFAULT, ignored=True)),
            (False, None, 20, Lead(30, LeadSource.DEFAULT, ignored=True)),
            (False, 10, None, Lead(30, LeadSource.DEFAULT, ignored=True)),
            (False, None, None, Lead(30, LeadSource.DEFAULT)),
        ],
    )
    def test_who_says_so(self, custom: bool, own: int | None, common: int | None, expected: Lead) -> None:
        account = Account(id="acme", custom_expiry=custom, lead_days=common)
        assert lead_of(account, Course(id="fire", delivery=Delivery.SCORM, lead_days=own)) == expected


class TestTheWindow:
    """It opens the lead before the expiry, but never in the first half of what it renews; days, never months."""

    @given(days, st.integers(-5, 900), st.integers(0, 3650), st.integers(-10, 1000))
    def test_by_definition(self, completed_on: date, valid: int, lead: int, later: int) -> None:
        expires_on, on = completed_on + timedelta(valid), completed_on + timedelta(max(0, later))
        found = renewal([record(completed_on, expires_on)], YEAR, lead, on)
        effective = min(lead, max(0, valid // 2))
        assert (found.expires_on, found.lead_days) == (expires_on, effective)
        assert found.opens_on == expires_on - timedelta(effective)
        if on > expires_on:
            assert found.status is Status.EXPIRED
        else:
            assert found.status is (Status.EXPIRING if (expires_on - on).days <= effective else Status.CURRENT)

    @pytest.mark.parametrize(("valid", "effective"), [(0, 0), (1, 0), (2, 1), (59, 29), (60, 30), (61, 30), (-9, 0)])
    def test_half_is_rounded_down_and_never_negative(self, valid: int, effective: int) -> None:
        found = renewal([record(ON, ON + timedelta(valid))], None, 30, ON)
        assert found.lead_days == effective

    def test_what_never_expires_is_current(self) -> None:
        found = renewal([record(date(2001, 1, 1), never_expires=True)], YEAR, 30, ON)
        assert (found.status, found.opens_on) == (Status.CURRENT, None)


class TestTheCycle:
    """Which renewal it is: the completion being renewed, or `first`. Editing an expiry does not make it another."""

    def test_names(self) -> None:
        assert renewal([], YEAR, 30, ON).cycle == "first"
        assert renewal([record(date(2026, 1, 5))], YEAR, 30, ON).cycle == "2026-01-05"

    @given(days, st.one_of(st.none(), days))
    def test_whatever_the_expiry(self, completed_on: date, expires_on: date | None) -> None:
        found = renewal([record(completed_on, expires_on)], None, 30, date(2041, 1, 1))
        assert found.cycle == completed_on.isoformat()

"""Rule 9: a night is a local date, found from the date and never by adding a day's hours."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import cast
from zoneinfo import ZoneInfo, available_timezones

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import InvalidValue, next_run, nights_due, run_date
from enrolpolicy.dates import civil, days_between, first_instant

zones = st.sampled_from(sorted(available_timezones() - {"localtime", "posixrules"}))
instants = st.datetimes(datetime(1950, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC))


def local(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


class TestRunDate:
    """The date of a run is the account's local one."""

    @pytest.mark.parametrize(
        ("zone", "now", "expected"),
        [
            ("Europe/London", "2026-06-30T23:00:00+00:00", date(2026, 7, 1)),
            ("Europe/London", "2026-06-30T22:59:59+00:00", date(2026, 6, 30)),
            ("Pacific/Pago_Pago", "2026-06-30T10:59:59+00:00", date(2026, 6, 29)),
            ("UTC", "2026-06-30T23:00:00-02:00", date(2026, 7, 1)),
        ],
    )
    def test_of_an_instant(self, zone: str, now: str, expected: date) -> None:
        assert run_date(zone, datetime.fromisoformat(now)) == expected

    def test_a_time_without_an_offset_says_nothing(self) -> None:
        sentence = r"^`instant` must have a UTC offset; a naive time does not say which night it is$"
        with pytest.raises(InvalidValue, match=sentence):
            run_date("UTC", datetime(2026, 1, 1))
        with pytest.raises(InvalidValue, match=sentence):  # nor does a date, for whoever does not check types
            run_date("UTC", cast(datetime, date(2026, 1, 1)))

    def test_of_another_library_s_instant_it_is_a_plain_date(self) -> None:
        """What a night is planned for, and what comes next, are the standard library's values whatever went in."""
        now = pendulum.datetime(2026, 6, 30, 23, 30)
        for found in (run_date("Europe/London", now), *nights_due("Europe/London", date(2026, 6, 29), now)):
            assert type(found) is date
        assert run_date("Europe/London", now) == date(2026, 7, 1)
        assert type(next_run("Europe/London", now)) is datetime
        assert next_run("Europe/London", now) == local("Europe/London", "2026-07-02")

    @pytest.mark.parametrize(
        "zone",
        ["Europe/Nowhere", "../../etc/passwd", "", "Europe/London\x00", ".", "localtime", "posix/UTC", "right/UTC"],
    )
    def test_a_zone_nobody_knows(self, zone: str) -> None:
        with pytest.raises(InvalidValue, match=r"^`timezone` must be an IANA time zone such as `Europe/London`$"):
            run_date(zone, datetime(2026, 1, 1, tzinfo=UTC))

    def test_at_the_ends_of_the_calendar(self) -> None:
        assert run_date("Pacific/Pago_Pago", datetime.min.replace(tzinfo=UTC)) == date.min
        assert run_date("Pacific/Apia", datetime.max.replace(tzinfo=UTC)) == date.max

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
    @given(hours=st.integers(-23, 23), before=st.integers(0, 23 * 60))
    def test_beyond_the_ends_of_the_calendar(self, zone: str, hours: int, before: int) -> None:
        """The same date whatever offset the instant is written with; the first or the last one where there is none."""
        offset, far = timedelta(hours=hours), timedelta(hours=23, minutes=59)
        for end, minutes, other in (
            (datetime.min.replace(tzinfo=timezone(offset)), before, far),
            (datetime.max.replace(tzinfo=timezone(offset)), -before, -far),
        ):
            instant = end + timedelta(minutes=minutes)
            found = run_date(zone, instant)
            assert found == run_date(zone, (instant + (other - offset)).replace(tzinfo=timezone(other)))
            assert abs(found - end.date()) <= timedelta(2)


class TestNextRun:
    """The first instant whose local date is a later one."""

    @pytest.mark.parametrize(
        ("zone", "now", "expected"),
        [
            ("Europe/London", "2026-11-23T22:00:00+00:00", "2026-11-24T00:00:00+00:00"),
            # midnight is missing: the clocks jump from 00:00 to 01:00
            ("Africa/Cairo", "2026-04-23T12:00:00+02:00", "2026-04-24T01:00:00+03:00"),
            # midnight comes twice: the first one counts, and the second is the same night
            ("America/Havana", "2026-10-31T12:00:00-04:00", "2026-11-01T00:00:00-04:00"),
            ("America/Havana", "2026-11-01T00:30:00-05:00", "2026-11-02T00:00:00-05:00"),
            # a date that never was
            ("Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00"),
            # the date is reached, left again a minute later, and reached for good an hour after that
            ("America/St_Johns", "2010-11-06T12:00:00-02:30", "2010-11-07T00:00:00-02:30"),
            ("America/St_Johns", "2010-11-06T12:01:30-02:30", "2010-11-07T00:00:00-02:30"),
        ],
    )
    def test_by_example(self, zone: str, now: str, expected: str) -> None:
        assert next_run(zone, datetime.fromisoformat(now)).isoformat() == expected

    @given(zones, instants)
    def test_by_definition(self, zone: str, now: datetime) -> None:
        found = next_run(zone, now)
        today = run_date(zone, now)
        assert found > now
        assert run_date(zone, found) > today
        just_before = max(now, found.astimezone(UTC) - timedelta(seconds=1))
        assert run_date(zone, just_before) <= today

    @given(zones, instants)
    def test_night_after_night(self, zone: str, now: datetime) -> None:
        first = next_run(zone, now)
        second = next_run(zone, first)
        assert run_date(zone, second) > run_date(zone, first)
        assert timedelta(hours=20) < second - first < timedelta(hours=28) or run_date(zone, second) != run_date(
            zone, first
        ) + timedelta(1)

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "Pacific/Pago_Pago"])
    def test_at_the_end_of_the_calendar(self, zone: str) -> None:
        with pytest.raises(InvalidValue) as caught:
            next_run(zone, datetime(9999, 12, 31, 12, tzinfo=UTC))
        assert str(caught.value) == ("`now` must not lie in the first hours of year 1, or the last days of year 9999")
        assert next_run(zone, datetime(9999, 12, 28, 23, 59, tzinfo=UTC)).year == 9999

    def test_before_the_beginning(self) -> None:
        with pytest.raises(InvalidValue, match="first hours of year 1"):
            next_run("UTC", datetime(1, 1, 1, 3, tzinfo=timezone(timedelta(hours=14))))


class TestFirstInstant:
    """A date begins at the first instant that falls on it."""

    @given(zones, st.dates(date(1950, 1, 1), date(2080, 1, 1)))
    def test_by_definition(self, zone: str, day: date) -> None:
        found = first_instant(zone, day)
        assert run_date(zone, found) >= day
        assert run_date(zone, found.astimezone(UTC) - timedelta(seconds=1)) < day

    def test_where_midnight_is_missing(self) -> None:
        assert first_instant("Africa/Cairo", date(2026, 4, 24)) == local("Africa/Cairo", "2026-04-24T01:00:00")

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "Pacific/Pago_Pago"])
    @pytest.mark.parametrize("day", [date.min, date.min + timedelta(1), date.min + timedelta(2), date.max])
    def test_at_the_ends_of_the_calendar(self, zone: str, day: date) -> None:
        found = first_instant(zone, day)
        assert (found.date(), found.tzinfo) == (day, ZoneInfo(zone))


class TestNightsDue:
    """Every date since the last run, oldest first; one that was made already is not due again."""

    def test_after_an_outage(self) -> None:
        now = datetime(2026, 11, 23, 4, tzinfo=UTC)
        found = nights_due("UTC", date(2026, 11, 20), now)
        assert found == (date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23))

    def test_nothing_is_due_twice(self) -> None:
        assert nights_due("UTC", date(2026, 11, 23), datetime(2026, 11, 23, 23, tzinfo=UTC)) == ()

    def test_the_first_time_it_is_tonight_alone(self) -> None:
        assert nights_due("UTC", None, datetime(2026, 11, 23, tzinfo=UTC)) == (date(2026, 11, 23),)

    def test_a_clock_set_back_loses_nothing(self) -> None:
        assert nights_due("UTC", date(2026, 11, 24), datetime(2026, 11, 23, tzinfo=UTC)) == ()
        assert nights_due("UTC", date(2026, 11, 24), datetime(2026, 11, 25, tzinfo=UTC)) == (date(2026, 11, 25),)

    @given(zones, instants, st.integers(0, 40))
    def test_one_for_each_date(self, zone: str, now: datetime, days: int) -> None:
        last = run_date(zone, now)
        found = nights_due(zone, last, now + timedelta(days))
        assert list(found) == [
            last + timedelta(n) for n in range(1, (run_date(zone, now + timedelta(days)) - last).days + 1)
        ]

    def test_the_last_night_is_a_date(self) -> None:
        now = datetime(2026, 11, 23, tzinfo=UTC)
        with pytest.raises(InvalidValue, match=r"^`last` must be a plain `datetime.date`, not a `datetime`$"):
            nights_due("UTC", now, now)


class TestTheNightsBetween:
    """Every date that lies between the last night and tonight, so that what was missed can be told."""

    @given(st.dates(date(1950, 1, 1), date(2080, 1, 1)), st.integers(-3, 40))
    def test_those_due_less_tonight(self, last: date, days: int) -> None:
        now = datetime.combine(last + timedelta(days), datetime.min.time(), UTC)
        assert days_between(last, now.date()) == nights_due("UTC", last, now)[:-1]

    def test_none_before_the_first(self) -> None:
        assert days_between(None, date(2026, 11, 23)) == ()


class TestACivilDate:
    """A `datetime` is a `date` to Python, and is none here: nothing but a plain date says a night."""

    def test_as_it_is(self) -> None:
        assert civil("on", date.max) == date.max

    def test_all_else_is_refused_by_name(self) -> None:
        with pytest.raises(InvalidValue, match=r"^`on` must be a plain `datetime.date`, not a `datetime`$"):
            civil("on", datetime(2026, 11, 23, tzinfo=UTC))

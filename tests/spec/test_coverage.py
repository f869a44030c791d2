"""Coverage: where every required training stands, and which are lost if nothing changes."""

from datetime import date, timedelta

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from documents import near_ready
from enrolpolicy import (
    Assumptions,
    Completion,
    CoverageCell,
    Level,
    Snapshot,
    Standing,
    Status,
    coverage,
    explain_all,
    forecast,
    load,
)
from enrolpolicy.ahead.covering import NOT_BOOKABLE

Drawn = tuple[str, date]


class TestCoverage:
    """Every required training of everybody who is not archived stands in one place, by the plan's own answer."""

    @given(near_ready())
    def test_by_the_explanation_of_each(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        here = {person.id for person in snapshot.personnel if not person.archived}
        wanted = {}
        for row in explain_all(snapshot, on=on):
            if row.level is not Level.REQUIRED or row.person not in here:
                continue
            unbookable = [gate for gate in NOT_BOOKABLE if gate in row.shut]
            if unbookable:
                where, because = Standing.NOT_APPLICABLE, unbookable[0]
            elif "not-enrolled" in row.shut:
                where, because = Standing.BOOKED, None
            elif row.status is Status.CURRENT:
                where, because = Standing.INTACT, None
            else:
                where = {"enrol": Standing.ENROL, "deferred": Standing.WAITING}.get(row.outcome, Standing.STUCK)
                because = row.reason
            wanted[row.person, row.course] = where, because
        found = coverage(snapshot, on=on)
        got = {
            (row.person, row.course): (row.standing, None if row.standing is Standing.BOOKED else row.because)
            for row in found.rows
        }
        assert list(got) == sorted(wanted)
        assert got == wanted
        assert sum(count for _, count in found.counts) == len(found.rows)


class TestWhatIsLost:
    """A training lapses by coverage exactly when it lapses in a forecast in which nobody completes anything and credits
    are no matter, and no booking is made for it before."""

    @given(near_ready(), st.data())
    def test_as_a_forecast_has_it(self, drawn: Drawn, data: st.DataObject) -> None:
        """Also on the last day of one of them."""
        snapshot, on = _ample(load(drawn[0])), drawn[1]
        ends = sorted({row.expires_on for row in snapshot.records if row.expires_on and row.expires_on > on})
        on = data.draw(st.sampled_from([on, *ends]))
        never = Assumptions(completed=Completion.NEVER)
        ahead = forecast(snapshot, start=on, until=on + timedelta(1200), assume=never)
        booked = {(row.person, row.course) for night in ahead.nights for row in night.enrolments}
        lapses = {(row.person, row.course, night.on) for night in ahead.nights for row in night.lapses}
        for row in coverage(snapshot, on=on).rows:
            pair = row.person, row.course
            if row.lapses_on is not None:
                assert (*pair, row.lapses_on) in lapses
                assert row.lapse_because is not None
                first = min(
                    (
                        night.on
                        for night in ahead.nights
                        for one in night.enrolments
                        if (one.person, one.course) == pair
                    ),
                    default=None,
                )
                assert first is None or first >= row.lapses_on
            elif row.standing in (Standing.INTACT, Standing.STUCK) and row.expires_on and row.expires_on >= on:
                assert pair in booked or row.expires_on > on + timedelta(1100)


class TestThePercent:
    """A share is rounded down, and what is whole is not cut: nobody reads 100 % where somebody is missing."""

    @given(st.integers(0, 2000), st.integers(0, 2000))
    def test_rounded_down(self, well: int, stuck: int) -> None:
        counts = tuple((standing, n) for standing, n in ((Standing.INTACT, well), (Standing.STUCK, stuck)) if n)
        cell = CoverageCell(course="fire", role=None, counts=counts, lapsing=0)
        assert cell.percent == (100 * well // (well + stuck) if counts else None)


def _ample(snapshot: Snapshot) -> Snapshot:
    return evolve(snapshot, account=evolve(snapshot.account, credits=None))

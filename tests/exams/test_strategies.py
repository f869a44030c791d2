"""What hosts get for their own tests: registers that act, rows a store can keep, trouble that a seed brings back."""

from contextlib import suppress
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers import TERMS, host
from enrolpolicy import Fate, Plan, Ports, Snapshot, plan, run_night
from enrolpolicy.ports import Done, RowWrite, Writes
from enrolpolicy.rows import Row
from enrolpolicy.testing import Chaos, Crash, Fault
from enrolpolicy.testing.builders import NIGHT, course, entry, person, register
from enrolpolicy.testing.strategies import plans, rows, snapshots
from enrolpolicy.testing.worlds import store_harness

SEEDS = st.integers(0, 10_000)
_LONG = timedelta(hours=1)


class TestRegisters:
    """A good share of the registers drawn has something to do, and the plan drawn with one is that register's."""

    def test_many_act(self) -> None:
        acting = []

        @given(snapshots())
        @settings(max_examples=60)
        def draw(drawn: tuple[Snapshot, date]) -> None:
            acting.append(bool(plan(drawn[0], on=drawn[1]).actions))

        draw()
        assert sum(acting) > len(acting) / 3

    @given(plans(people=2, courses=1))
    @settings(max_examples=20)
    def test_plans(self, drawn: tuple[Snapshot, Plan]) -> None:
        register, planned = drawn
        assert plan(register, on=planned.on) == planned


class TestRows:
    """Whatever row is drawn, the store in memory gives it back as it was."""

    @given(rows())
    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    def test_they_are_kept(self, drawn: Row) -> None:
        harness = store_harness()
        harness.put(register())
        writes = Writes(rows=(RowWrite(row=drawn, fence=None),), entries=(entry(drawn),))
        assert isinstance(harness.store.transact("acme", (drawn.person,), lambda _: (writes, None)), Done)
        assert harness.rows("acme") == (drawn,)


class TestBuilders:
    """A built register enrols everybody on everything, until something is said to be otherwise."""

    def test_as_it_is(self) -> None:
        people, courses = (person("ana"), person("bo")), (course("fire"), course("ice"))
        assert len(plan(register(*people, courses=courses), on=NIGHT).enrolments) == 4
        assert len(plan(register(), on=NIGHT).enrolments) == 1

    def test_otherwise(self) -> None:
        changed = register(person("ana", email=None), person("bo"), opt_outs=[("bo", "fire")])
        assert plan(changed, on=NIGHT).actions == ()
        assert plan(register(credits=0), on=NIGHT).actions == ()


class TestChaos:
    """Trouble is the same for the same seed; while it lasts no enrolment is made twice, and after it all is made."""

    @staticmethod
    def nights(seed: int) -> tuple[list[tuple[str, str, Fault]], list[str], bool]:
        world, chaos = host(), Chaos.seeded(seed, one_in=6)
        ports = Ports(store=chaos.store(world.store), lms=chaos.lms(world.lms), mailer=chaos.mailer(world.mailer))
        for _ in range(4):
            with suppress(Crash):
                run_night("acme", ports=ports, terms=TERMS, at=world.clock())
            world.clock.advance(TERMS.lease or _LONG)
        chaos.stop()
        reports = []
        for _ in range(3):
            world.clock.advance(_LONG)
            reports.append(run_night("acme", ports=ports, terms=TERMS, at=world.clock()))
        return chaos.happened, [order.key for order, _ in world.lms.bookings()], reports[-1].outcomes == ()

    @given(SEEDS)
    @settings(max_examples=15)
    def test_any_seed(self, seed: int) -> None:
        _, keys, quiet = self.nights(seed)
        assert len(keys) == len(set(keys)) == 4
        assert quiet

    def test_the_same_seed(self) -> None:
        assert self.nights(7) == self.nights(7)
        assert self.nights(7)[0] != self.nights(8)[0]

    def test_a_fault_says_what_it_is(self) -> None:
        world = host()
        lms = Chaos([Fault.LOST_REQUEST]).lms(world.lms)
        ports = Ports(store=world.store, lms=lms, mailer=world.mailer)
        report = run_night("acme", ports=ports, terms=TERMS, at=world.clock())
        assert report.stopped == "the lms did not pass its check: lost-request"
        assert report.of(Fate.DONE) == ()

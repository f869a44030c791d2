"""Looking up (L4), cancelling (L5), and the keys of what was cancelled (L6)."""

from enrolpolicy.ports import (
    Booking,
    Cancelled,
    Done,
    Progress,
)
from enrolpolicy.testing.contract import law
from enrolpolicy.testing.examining import (
    done,
    unknown,
)
from enrolpolicy.testing.harness import LmsHarness, Mishap
from enrolpolicy.testing.lms.words import (
    BOUND,
    FINDS,
    FORGETS,
    GUARDED,
    KEYS,
    MOMENT,
    REMEMBERS,
    booked,
    booking_of,
    open_now,
)


class LookingUp:
    """Looking up (L4), cancelling (L5), and the keys of what was cancelled (L6)."""

    # L4: looking up

    @law("L4", FINDS)
    def test_l4_what_is_there_is_found(self, harness: LmsHarness) -> None:
        """An enrolment is found by its key, under the name that enrolling gave."""
        made = {key: booked(harness, key, person).ref for key, person in (("k1", "ana"), ("k2", "bo"))}
        for key, ref in made.items():
            assert booking_of(harness, key) == Booking(ref=ref, progress=Progress.NOT_STARTED)

    @law("L4b", FINDS)
    def test_l4b_what_is_not_there(self, harness: LmsHarness) -> None:
        """A key under which nothing was made has nothing, whoever else is enrolled; that is no refusal."""
        booked(harness)
        assert done(harness.lms.find("k2")) is None

    @law("L4c", FINDS)
    def test_l4c_how_far_it_has_come(self, harness: LmsHarness) -> None:
        """Looking up tells started from completed; only what was completed has an instant of it."""
        booked(harness)
        harness.learner_starts("k1")
        found = booking_of(harness, "k1")
        assert (found.progress, found.completed_at) == (Progress.IN_PROGRESS, None)
        harness.learner_completes("k1")
        assert booking_of(harness, "k1").progress is Progress.COMPLETED

    @law("L4d", FINDS)
    def test_l4d_what_a_lost_answer_left(self, harness: LmsHarness) -> None:
        """What was made while the answer was lost is found."""
        order = harness.order("k1")
        harness.befall(Mishap.LOST_ANSWER)
        unknown(harness.lms.enrol(order))
        assert booking_of(harness, "k1").ref

    @law("L4e", FINDS)
    def test_l4e_cancelled_is_not_open(self, harness: LmsHarness) -> None:
        """What was cancelled is found as cancelled, or not at all."""
        done(harness.lms.cancel_if_not_started(booked(harness).ref))
        found = done(harness.lms.find("k1"))
        assert found is None or found.progress is Progress.CANCELLED

    @law("L4f", BOUND)
    def test_l4f_late_but_not_too_late(self, harness: LmsHarness) -> None:
        """A request that was given up takes effect within the declared time, or never."""
        bound = harness.lms.capabilities.latest_arrival
        assert bound is not None
        order = harness.order("k1")
        harness.delay()
        unknown(harness.lms.enrol(order))
        harness.advance(bound + MOMENT)
        harness.deliver()
        assert harness.peek() == ()

    @law("L4g", FINDS)
    def test_l4g_silence_is_not_absence(self, harness: LmsHarness) -> None:
        """A look-up that could not be made is never told as nothing there."""
        booked(harness)
        for mishap in (Mishap.LOST_REQUEST, Mishap.LOST_ANSWER, Mishap.NONSENSE):
            harness.befall(mishap)
            assert not isinstance(harness.lms.find("k1"), Done)

    # L5: cancelling

    @law("L5")
    def test_l5_cancelling(self, harness: LmsHarness) -> None:
        """What nobody has started is cancelled, and nobody else's."""
        for key, person in (("k1", "ana"), ("k2", "bo")):
            booked(harness, key, person)
        ref = booked(harness, "k3", "cy").ref
        assert done(harness.lms.cancel_if_not_started(ref)) is Cancelled.CANCELLED
        assert [len(open_now(harness, person)) for person in ("ana", "bo", "cy")] == [1, 1, 0]

    @law("L5b")
    def test_l5b_cancelling_twice(self, harness: LmsHarness) -> None:
        """Cancelling again says that it is cancelled already, or no longer there."""
        ref = booked(harness).ref
        done(harness.lms.cancel_if_not_started(ref))
        again = done(harness.lms.cancel_if_not_started(ref))
        assert again in (Cancelled.ALREADY, Cancelled.NOT_FOUND)
        assert open_now(harness) == []

    @law("L5c", GUARDED)
    def test_l5c_started_stays(self, harness: LmsHarness) -> None:
        """What was started is not cancelled, and nothing has changed."""
        ref = booked(harness).ref
        harness.learner_starts("k1")
        before = harness.peek()
        assert done(harness.lms.cancel_if_not_started(ref)) is Cancelled.IN_PROGRESS
        assert harness.peek() == before

    @law("L5d", GUARDED)
    def test_l5d_completed_stays(self, harness: LmsHarness) -> None:
        """What was completed is not cancelled, and nothing has changed."""
        ref = booked(harness).ref
        harness.learner_starts("k1")
        harness.learner_completes("k1")
        before = harness.peek()
        assert done(harness.lms.cancel_if_not_started(ref)) is Cancelled.COMPLETED
        assert harness.peek() == before

    @law("L5e")
    def test_l5e_what_is_not_there(self, harness: LmsHarness) -> None:
        """Cancelling what is not there says so, and cancels nothing else."""
        ref = booked(harness).ref
        assert done(harness.lms.cancel_if_not_started(f"{ref}0")) is Cancelled.NOT_FOUND
        assert len(open_now(harness)) == 1

    @law("L5f")
    def test_l5f_after_a_lost_answer(self, harness: LmsHarness) -> None:
        """Cancelling again after a lost answer ends with it cancelled."""
        ref = booked(harness).ref
        harness.befall(Mishap.LOST_ANSWER)
        unknown(harness.lms.cancel_if_not_started(ref))
        assert done(harness.lms.cancel_if_not_started(ref)) in (Cancelled.ALREADY, Cancelled.NOT_FOUND)
        assert open_now(harness) == []

    # L6: the keys of what was cancelled

    @law("L6", KEYS, REMEMBERS)
    def test_l6_a_cancelled_key_stays_known(self, harness: LmsHarness) -> None:
        """A cancelled key gets the answer it always got, and makes nothing."""
        first = booked(harness)
        done(harness.lms.cancel_if_not_started(first.ref))
        assert booked(harness) == first
        assert open_now(harness) == []

    @law("L6b", KEYS, FORGETS)
    def test_l6b_a_forgotten_key_is_new(self, harness: LmsHarness) -> None:
        """Where cancelling frees a key, it makes an enrolment anew."""
        done(harness.lms.cancel_if_not_started(booked(harness).ref))
        booked(harness)
        assert len(open_now(harness)) == 1

"""What an LMS declares (L7), old completions (L8), launching (L9), and the preflight (L10)."""

from datetime import timedelta

from enrolpolicy.ports import (
    Charge,
    Done,
    LmsCapabilities,
    Progress,
    Refused,
)
from enrolpolicy.testing.contract import law
from enrolpolicy.testing.examining import (
    answered,
    done,
    refused,
    timed,
    unknown,
)
from enrolpolicy.testing.harness import LmsHarness, Mishap
from enrolpolicy.testing.lms.words import (
    BACK,
    FINDS,
    LAUNCHES,
    booked,
    booking_of,
    order_on,
)


class Declaring:
    """What an LMS declares (L7), old completions (L8), launching (L9), and the preflight (L10)."""

    # L7: what it declares

    @law("L7")
    def test_l7_capabilities_are_data(self, harness: LmsHarness) -> None:
        """Capabilities are the same whenever they are asked for, and its longest call is longer than nothing."""
        before = harness.lms.capabilities
        assert isinstance(before, LmsCapabilities)
        booked(harness)
        assert harness.lms.capabilities == before
        assert before.longest_call > timedelta(0)

    @law("L7b")
    def test_l7b_the_longest_call(self, harness: LmsHarness) -> None:
        """When the other side says nothing any more, the call ends in Unknown within the longest time declared."""
        order = harness.order("k1")
        harness.befall(Mishap.STALL)
        unknown(timed(lambda: harness.lms.enrol(order), harness.lms.capabilities.longest_call))

    @law("L7c")
    def test_l7c_when_it_charges(self, harness: LmsHarness) -> None:
        """It charges once for an enrolment, when it is made or when it is started, as declared."""
        on_enrol = harness.lms.capabilities.charges is Charge.ON_ENROL
        booked(harness)
        assert harness.charged() == (1 if on_enrol else 0)
        harness.learner_starts("k1")
        assert harness.charged() == 1
        harness.learner_completes("k1")
        assert harness.charged() == 1

    @law("L7d")
    def test_l7d_its_own_letters(self, harness: LmsHarness) -> None:
        """It writes to the person itself where that is declared, and not where it is not."""
        booked(harness)
        assert harness.invited() == (1 if harness.lms.capabilities.sends_invitation else 0)

    # L8: old completions

    @law("L8", FINDS)
    def test_l8_no_old_completion(self, harness: LmsHarness) -> None:
        """A new cycle is not started, whatever became of the old one; or it is refused as `stale-completion`."""
        booked(harness)
        harness.learner_starts("k1")
        harness.learner_completes("k1")
        said = harness.lms.enrol(harness.order("k2", cycle="2026-12-20"))
        if isinstance(said, Refused):
            assert said.reason == "stale-completion"
            return
        done(said)
        assert booking_of(harness, "k2").progress is Progress.NOT_STARTED
        assert booking_of(harness, "k1").progress is Progress.COMPLETED

    # L9: launching

    @law("L9", LAUNCHES)
    def test_l9_a_launch_address(self, harness: LmsHarness) -> None:
        """A launch address is https, and says until when it holds; its repr does not show it."""
        launch = done(harness.lms.launch_url(booked(harness).ref, BACK))
        assert launch.url.startswith("https://")
        assert launch.expires_at.utcoffset() is not None
        assert launch.url not in repr(launch)

    @law("L9b", LAUNCHES)
    def test_l9b_made_when_asked_for(self, harness: LmsHarness) -> None:
        """An address is made when it is asked for: one asked for later holds for longer."""
        ref = booked(harness).ref
        first = done(harness.lms.launch_url(ref, BACK))
        harness.advance(timedelta(hours=1))
        assert done(harness.lms.launch_url(ref, BACK)).expires_at > first.expires_at

    @law("L9c", LAUNCHES)
    def test_l9c_not_for_what_is_cancelled(self, harness: LmsHarness) -> None:
        """There is no address for what was cancelled, or never was."""
        ref = booked(harness).ref
        refused(harness.lms.launch_url(f"{ref}0", BACK))
        done(harness.lms.cancel_if_not_started(ref))
        refused(harness.lms.launch_url(ref, BACK))

    # L10: the preflight

    @law("L10")
    def test_l10_checking_has_no_effect(self, harness: LmsHarness) -> None:
        """Checking changes nothing, and finds nothing where nothing is wrong."""
        booked(harness)
        before = harness.peek()
        assert done(harness.lms.check(("fire",))) == ()
        assert harness.peek() == before

    @law("L10b")
    def test_l10b_courses_it_does_not_have(self, harness: LmsHarness) -> None:
        """A course that it does not have is told by its id, without one that it has; enrolling on it is refused."""
        missing = harness.unknown_course()
        harness.given("ana", "fire")
        troubles = done(harness.lms.check(("fire", missing)))
        assert [trouble.about for trouble in troubles] == [missing]
        refused(harness.lms.enrol(order_on(harness, missing)))
        assert harness.peek() == ()

    @law("L10c")
    def test_l10c_wrong_credentials(self, harness: LmsHarness) -> None:
        """Wrong credentials are told by the check, and refuse everything: they never look like `not found`."""
        booked(harness, "k0", "bo")
        harness.given("ana", "fire")
        harness.lock_out()
        said = answered(lambda: harness.lms.check(("fire",)))
        courseless = isinstance(said, Done) and any(trouble.about != "fire" for trouble in said.value)
        assert courseless or (isinstance(said, Refused) and said.everything)
        assert refused(harness.lms.enrol(harness.order("k1"))).everything
        assert not isinstance(harness.lms.find("k0"), Done)

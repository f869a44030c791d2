"""The exam of an LMS: clauses L1 to L10, and how it answers (L0)."""

from datetime import timedelta

from enrolpolicy.ports import (
    FOR_EVER,
    Booking,
    Cancelled,
    Charge,
    Done,
    LmsCapabilities,
    Order,
    Progress,
    Receipt,
    Refused,
)
from enrolpolicy.testing.contract import Contract, Need, law
from enrolpolicy.testing.examining import (
    CODE,
    HOSTILE,
    answered,
    at_once,
    done,
    overheard,
    refused,
    silent_about,
    timed,
    unknown,
)
from enrolpolicy.testing.harness import LmsHarness, Mishap, Seen

MOMENT = timedelta(milliseconds=1)
BACK = "https://acme.example/back"

KEYS = Need[LmsHarness]("keys", lambda it: it.lms.capabilities.keys_kept is not None)
KEYS_FOR_A_TIME = Need[LmsHarness]("keys for a time", lambda it: it.lms.capabilities.keys_kept not in (None, FOR_EVER))
ONE_OPEN = Need[LmsHarness]("one open enrolment", lambda it: it.lms.capabilities.one_open)
NO_DOUBLES = Need[LmsHarness](
    "keys, or one open enrolment",
    lambda it: it.lms.capabilities.keys_kept is not None or it.lms.capabilities.one_open,
)
FINAL = Need[LmsHarness]("final refusals", lambda it: it.lms.capabilities.refusals_final)
NOT_FINAL = Need[LmsHarness]("refusals that are not final", lambda it: not it.lms.capabilities.refusals_final)
FINDS = Need[LmsHarness]("look-up", lambda it: it.lms.capabilities.finds)
BOUND = Need[LmsHarness]("a bound on late requests", lambda it: it.lms.capabilities.latest_arrival is not None)
GUARDED = Need[LmsHarness]("cancelling only what was not started", lambda it: it.lms.capabilities.cancels_unstarted)
REMEMBERS = Need[LmsHarness]("cancelled keys remembered", lambda it: not it.lms.capabilities.cancel_frees_key)
FORGETS = Need[LmsHarness]("cancelled keys forgotten", lambda it: it.lms.capabilities.cancel_frees_key)
LAUNCHES = Need[LmsHarness]("launch addresses", lambda it: it.launches)

_OPEN = (Progress.NOT_STARTED, Progress.IN_PROGRESS)


def _open(harness: LmsHarness, person: str = "ana", course: str = "fire") -> list[Seen]:
    seen = harness.peek()
    return [row for row in seen if (row.person, row.course) == (person, course) and row.progress in _OPEN]


def _booked(harness: LmsHarness, key: str = "k1", person: str = "ana") -> Receipt:
    return done(harness.lms.enrol(harness.order(key, person)))


def _found(harness: LmsHarness, key: str) -> Booking:
    booking = done(harness.lms.find(key))
    assert booking is not None, "what was enrolled is not found"
    return booking


class LmsContract(Contract):
    """What every LMS adapter must do. Subclass it, and give it a fixture `harness`: an `LmsHarness`, new each time."""

    subject = "lms"

    # L0: how it answers

    @law("L0")
    def test_l0_whatever_happens_it_answers(self, harness: LmsHarness) -> None:
        """Whatever befalls a call, it ends in Done, Refused or Unknown, never in an exception."""
        ref = _booked(harness, "k0").ref
        for mishap in (Mishap.LOST_REQUEST, Mishap.LOST_ANSWER, Mishap.NONSENSE):
            for number, call in enumerate(
                (
                    lambda: harness.lms.enrol(harness.order(f"k-{mishap.value}", f"p-{mishap.value}")),
                    lambda: harness.lms.find("k0"),
                    lambda: harness.lms.check(("fire",)),
                    lambda: harness.lms.cancel_if_not_started(ref),
                )
            ):
                harness.befall(mishap)
                said = answered(call)
                assert not isinstance(said, Done), f"call {number} is Done, and nobody can tell ({mishap.value})"

    @law("L0b")
    def test_l0b_nothing_private_is_shown(self, harness: LmsHarness) -> None:
        """No secret and nothing personal stands in its answers to trouble, in its repr, or in what it logs."""
        person = "private-person-4711"
        with overheard() as logged:
            order = harness.order("k1", person)
            harness.befall(Mishap.NONSENSE)
            shown: list[object] = [answered(lambda: harness.lms.enrol(order))]
            harness.refuse(person, "fire", "no-seat")
            shown += [answered(lambda: harness.lms.enrol(harness.order("k2", person))), harness.lms]
        silent_about([*shown, *logged], (*harness.secrets, person))

    @law("L0c", NO_DOUBLES)
    def test_l0c_hostile_ids_work(self, harness: LmsHarness) -> None:
        """Ids that are not ASCII, 255 characters long, or full of `/ % ? # & +` and blanks, are whom they say."""
        for id in HOSTILE:
            first, again = (answered(lambda: harness.lms.enrol(harness.order(f"k{id}"[:255], id, id))) for _ in "12")
            assert done(first).ref == done(again).ref
            assert len(_open(harness, id, id)) == 1
        assert len({(row.person, row.course) for row in harness.peek()}) == len(HOSTILE)

    @law("L0d")
    def test_l0d_a_refusal_has_a_code(self, harness: LmsHarness) -> None:
        """A refusal's reason is a short code in lower case, and is told as it is."""
        harness.given("ana", "fire")
        harness.refuse("ana", "fire", "no-seat")
        assert CODE.fullmatch(refused(harness.lms.enrol(harness.order("k1")), "no-seat").reason)

    # L1: at most one

    @law("L1", KEYS)
    def test_l1_one_key_one_enrolment(self, harness: LmsHarness) -> None:
        """Enrolling again under a key leaves one enrolment."""
        for _ in range(3):
            _booked(harness)
        assert len(_open(harness)) == 1

    @law("L1b", KEYS)
    def test_l1b_a_key_means_one_thing(self, harness: LmsHarness) -> None:
        """The same key with other arguments is refused, and changes nothing."""
        _booked(harness)
        before = harness.peek()
        for order in (
            harness.order("k1", "bo"), harness.order("k1", course="ice"), harness.order("k1", cycle="2026-12-20"),
        ):  # fmt: skip
            refused(harness.lms.enrol(order))
        assert harness.peek() == before

    @law("L1c", NO_DOUBLES)
    def test_l1c_two_at_the_same_moment(self, harness: LmsHarness) -> None:
        """Two who enrol at the same moment leave one enrolment, and neither is refused."""
        other = harness.another()
        for number in range(8):
            order = harness.order(f"k{number}", f"p{number}")
            first, second = at_once([lambda: harness.lms.enrol(order), lambda: other.enrol(order)])
            assert not isinstance(first, Refused), first
            assert not isinstance(second, Refused), second
            assert len(_open(harness, f"p{number}")) == 1

    @law("L1d", NO_DOUBLES)
    def test_l1d_after_a_lost_answer(self, harness: LmsHarness) -> None:
        """Asking again after a lost answer leaves one enrolment, and says which."""
        order = harness.order("k1")
        harness.befall(Mishap.LOST_ANSWER)
        unknown(harness.lms.enrol(order))
        assert done(harness.lms.enrol(order)).ref
        assert len(_open(harness)) == 1

    @law("L1e")
    def test_l1e_after_a_lost_request(self, harness: LmsHarness) -> None:
        """Asking again after a request that never arrived makes the enrolment."""
        order = harness.order("k1")
        harness.befall(Mishap.LOST_REQUEST)
        unknown(harness.lms.enrol(order))
        assert _open(harness) == []
        done(harness.lms.enrol(order))
        assert len(_open(harness)) == 1

    @law("L1f", KEYS_FOR_A_TIME)
    def test_l1f_for_as_long_as_declared(self, harness: LmsHarness) -> None:
        """A key is recognised up to the end of the declared time."""
        kept = harness.lms.capabilities.keys_kept
        assert kept is not None
        first = _booked(harness)
        harness.advance(kept - MOMENT)
        assert _booked(harness) == first
        assert len(_open(harness)) == 1

    @law("L1g", ONE_OPEN)
    def test_l1g_one_open_whatever_the_key(self, harness: LmsHarness) -> None:
        """Where one open enrolment is declared, another key for it leaves it the only one."""
        for key in ("k1", "k2"):
            _booked(harness, key)
        assert len(_open(harness)) == 1

    @law("L1h", ONE_OPEN)
    def test_l1h_somebody_else_s(self, harness: LmsHarness) -> None:
        """An enrolment that somebody else made is told as foreign, is not charged for, and is left as it is."""
        harness.given("ana", "fire")
        harness.book_by_hand("ana", "fire")
        before = harness.peek()
        assert _booked(harness).foreign
        assert harness.peek() == before

    @law("L1i")
    def test_l1i_others_are_others(self, harness: LmsHarness) -> None:
        """Other people and other courses under their own keys get enrolments of their own."""
        pairs = [("ana", "fire"), ("bo", "fire"), ("ana", "ice")]
        receipts = [done(harness.lms.enrol(harness.order(f"k{number}", *pair))) for number, pair in enumerate(pairs)]
        assert len({receipt.ref for receipt in receipts}) == len(pairs)
        assert not any(receipt.foreign for receipt in receipts)
        assert sorted((row.person, row.course) for row in harness.peek()) == sorted(pairs)

    # L2: the same answer

    @law("L2", KEYS)
    def test_l2_the_same_answer(self, harness: LmsHarness) -> None:
        """A repeated key gets the same answer."""
        assert _booked(harness) == _booked(harness)

    @law("L2b", KEYS)
    def test_l2b_once_started_and_completed(self, harness: LmsHarness) -> None:
        """A repeated key gets the same answer once the course is started or completed, and changes nothing."""
        first = _booked(harness)
        for happens in (harness.learner_starts, harness.learner_completes):
            happens("k1")
            before = harness.peek()
            assert _booked(harness) == first
            assert harness.peek() == before

    # L3: refusals

    @law("L3", FINAL)
    def test_l3_final_is_final(self, harness: LmsHarness) -> None:
        """A final refusal is final for its key, also once the reason is gone; another key is heard anew."""
        harness.given("ana", "fire")
        harness.refuse("ana", "fire", "no-seat")
        assert refused(harness.lms.enrol(harness.order("k1"))).final
        harness.allow("ana", "fire")
        refused(harness.lms.enrol(harness.order("k1")))
        assert _open(harness) == []
        _booked(harness, "k2")

    @law("L3b", NOT_FINAL)
    def test_l3b_final_is_not_claimed(self, harness: LmsHarness) -> None:
        """Where refusals are not final, none is told as final."""
        harness.given("ana", "fire")
        harness.refuse("ana", "fire", "no-seat")
        assert not refused(harness.lms.enrol(harness.order("k1"))).final

    @law("L3c")
    def test_l3c_nothing_happened(self, harness: LmsHarness) -> None:
        """What is refused has not happened, and neither has anything else."""
        _booked(harness, "k0", "bo")
        before = harness.peek()
        harness.given("ana", "fire")
        harness.refuse("ana", "fire", "no-seat")
        refused(harness.lms.enrol(harness.order("k1")))
        assert harness.peek() == before

    @law("L3d", FINAL)
    def test_l3d_for_copies_under_way(self, harness: LmsHarness) -> None:
        """A final refusal holds for a copy of the request that is still under way."""
        order = harness.order("k1")
        harness.delay()
        unknown(harness.lms.enrol(order))
        harness.refuse("ana", "fire", "no-seat")
        refused(harness.lms.enrol(order))
        harness.allow("ana", "fire")
        harness.deliver()
        assert harness.peek() == ()

    # L4: looking up

    @law("L4", FINDS)
    def test_l4_what_is_there_is_found(self, harness: LmsHarness) -> None:
        """An enrolment is found by its key, under the name that enrolling gave."""
        made = {key: _booked(harness, key, person).ref for key, person in (("k1", "ana"), ("k2", "bo"))}
        for key, ref in made.items():
            assert _found(harness, key) == Booking(ref=ref, progress=Progress.NOT_STARTED)

    @law("L4b", FINDS)
    def test_l4b_what_is_not_there(self, harness: LmsHarness) -> None:
        """A key under which nothing was made has nothing, whoever else is enrolled; that is no refusal."""
        _booked(harness)
        assert done(harness.lms.find("k2")) is None

    @law("L4c", FINDS)
    def test_l4c_how_far_it_has_come(self, harness: LmsHarness) -> None:
        """Looking up tells started from completed; only what was completed has an instant of it."""
        _booked(harness)
        harness.learner_starts("k1")
        found = _found(harness, "k1")
        assert (found.progress, found.completed_at) == (Progress.IN_PROGRESS, None)
        harness.learner_completes("k1")
        assert _found(harness, "k1").progress is Progress.COMPLETED

    @law("L4d", FINDS)
    def test_l4d_what_a_lost_answer_left(self, harness: LmsHarness) -> None:
        """What was made while the answer was lost is found."""
        order = harness.order("k1")
        harness.befall(Mishap.LOST_ANSWER)
        unknown(harness.lms.enrol(order))
        assert _found(harness, "k1").ref

    @law("L4e", FINDS)
    def test_l4e_cancelled_is_not_open(self, harness: LmsHarness) -> None:
        """What was cancelled is found as cancelled, or not at all."""
        done(harness.lms.cancel_if_not_started(_booked(harness).ref))
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
        _booked(harness)
        for mishap in (Mishap.LOST_REQUEST, Mishap.LOST_ANSWER, Mishap.NONSENSE):
            harness.befall(mishap)
            assert not isinstance(harness.lms.find("k1"), Done)

    # L5: cancelling

    @law("L5")
    def test_l5_cancelling(self, harness: LmsHarness) -> None:
        """What nobody has started is cancelled, and nobody else's."""
        for key, person in (("k1", "ana"), ("k2", "bo")):
            _booked(harness, key, person)
        ref = _booked(harness, "k3", "cy").ref
        assert done(harness.lms.cancel_if_not_started(ref)) is Cancelled.CANCELLED
        assert [len(_open(harness, person)) for person in ("ana", "bo", "cy")] == [1, 1, 0]

    @law("L5b")
    def test_l5b_cancelling_twice(self, harness: LmsHarness) -> None:
        """Cancelling again says that it is cancelled already, or no longer there."""
        ref = _booked(harness).ref
        done(harness.lms.cancel_if_not_started(ref))
        again = done(harness.lms.cancel_if_not_started(ref))
        assert again in (Cancelled.ALREADY, Cancelled.NOT_FOUND)
        assert _open(harness) == []

    @law("L5c", GUARDED)
    def test_l5c_started_stays(self, harness: LmsHarness) -> None:
        """What was started is not cancelled, and nothing has changed."""
        ref = _booked(harness).ref
        harness.learner_starts("k1")
        before = harness.peek()
        assert done(harness.lms.cancel_if_not_started(ref)) is Cancelled.IN_PROGRESS
        assert harness.peek() == before

    @law("L5d", GUARDED)
    def test_l5d_completed_stays(self, harness: LmsHarness) -> None:
        """What was completed is not cancelled, and nothing has changed."""
        ref = _booked(harness).ref
        harness.learner_starts("k1")
        harness.learner_completes("k1")
        before = harness.peek()
        assert done(harness.lms.cancel_if_not_started(ref)) is Cancelled.COMPLETED
        assert harness.peek() == before

    @law("L5e")
    def test_l5e_what_is_not_there(self, harness: LmsHarness) -> None:
        """Cancelling what is not there says so, and cancels nothing else."""
        ref = _booked(harness).ref
        assert done(harness.lms.cancel_if_not_started(f"{ref}0")) is Cancelled.NOT_FOUND
        assert len(_open(harness)) == 1

    @law("L5f")
    def test_l5f_after_a_lost_answer(self, harness: LmsHarness) -> None:
        """Cancelling again after a lost answer ends with it cancelled."""
        ref = _booked(harness).ref
        harness.befall(Mishap.LOST_ANSWER)
        unknown(harness.lms.cancel_if_not_started(ref))
        assert done(harness.lms.cancel_if_not_started(ref)) in (Cancelled.ALREADY, Cancelled.NOT_FOUND)
        assert _open(harness) == []

    # L6: the keys of what was cancelled

    @law("L6", KEYS, REMEMBERS)
    def test_l6_a_cancelled_key_stays_known(self, harness: LmsHarness) -> None:
        """A cancelled key gets the answer it always got, and makes nothing."""
        first = _booked(harness)
        done(harness.lms.cancel_if_not_started(first.ref))
        assert _booked(harness) == first
        assert _open(harness) == []

    @law("L6b", KEYS, FORGETS)
    def test_l6b_a_forgotten_key_is_new(self, harness: LmsHarness) -> None:
        """Where cancelling frees a key, it makes an enrolment anew."""
        done(harness.lms.cancel_if_not_started(_booked(harness).ref))
        _booked(harness)
        assert len(_open(harness)) == 1

    # L7: what it declares

    @law("L7")
    def test_l7_capabilities_are_data(self, harness: LmsHarness) -> None:
        """Capabilities are the same whenever they are asked for, and its longest call is longer than nothing."""
        before = harness.lms.capabilities
        assert isinstance(before, LmsCapabilities)
        _booked(harness)
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
        _booked(harness)
        assert harness.charged() == (1 if on_enrol else 0)
        harness.learner_starts("k1")
        assert harness.charged() == 1
        harness.learner_completes("k1")
        assert harness.charged() == 1

    @law("L7d")
    def test_l7d_its_own_letters(self, harness: LmsHarness) -> None:
        """It writes to the person itself where that is declared, and not where it is not."""
        _booked(harness)
        assert harness.invited() == (1 if harness.lms.capabilities.sends_invitation else 0)

    # L8: old completions

    @law("L8", FINDS)
    def test_l8_no_old_completion(self, harness: LmsHarness) -> None:
        """A new cycle is not started, whatever became of the old one; or it is refused as `stale-completion`."""
        _booked(harness)
        harness.learner_starts("k1")
        harness.learner_completes("k1")
        said = harness.lms.enrol(harness.order("k2", cycle="2026-12-20"))
        if isinstance(said, Refused):
            assert said.reason == "stale-completion"
            return
        done(said)
        assert _found(harness, "k2").progress is Progress.NOT_STARTED
        assert _found(harness, "k1").progress is Progress.COMPLETED

    # L9: launching

    @law("L9", LAUNCHES)
    def test_l9_a_launch_address(self, harness: LmsHarness) -> None:
        """A launch address is https, and says until when it holds; its repr does not show it."""
        launch = done(harness.lms.launch_url(_booked(harness).ref, BACK))
        assert launch.url.startswith("https://")
        assert launch.expires_at.utcoffset() is not None
        assert launch.url not in repr(launch)

    @law("L9b", LAUNCHES)
    def test_l9b_made_when_asked_for(self, harness: LmsHarness) -> None:
        """An address is made when it is asked for: one asked for later holds for longer."""
        ref = _booked(harness).ref
        first = done(harness.lms.launch_url(ref, BACK))
        harness.advance(timedelta(hours=1))
        assert done(harness.lms.launch_url(ref, BACK)).expires_at > first.expires_at

    @law("L9c", LAUNCHES)
    def test_l9c_not_for_what_is_cancelled(self, harness: LmsHarness) -> None:
        """There is no address for what was cancelled, or never was."""
        ref = _booked(harness).ref
        refused(harness.lms.launch_url(f"{ref}0", BACK))
        done(harness.lms.cancel_if_not_started(ref))
        refused(harness.lms.launch_url(ref, BACK))

    # L10: the preflight

    @law("L10")
    def test_l10_checking_has_no_effect(self, harness: LmsHarness) -> None:
        """Checking changes nothing, and finds nothing where nothing is wrong."""
        _booked(harness)
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
        refused(harness.lms.enrol(_on(harness, missing)))
        assert harness.peek() == ()

    @law("L10c")
    def test_l10c_wrong_credentials(self, harness: LmsHarness) -> None:
        """Wrong credentials are told by the check, and refuse everything: they never look like `not found`."""
        _booked(harness, "k0", "bo")
        harness.given("ana", "fire")
        harness.lock_out()
        said = answered(lambda: harness.lms.check(("fire",)))
        courseless = isinstance(said, Done) and any(trouble.about != "fire" for trouble in said.value)
        assert courseless or (isinstance(said, Refused) and said.everything)
        assert refused(harness.lms.enrol(harness.order("k1"))).everything
        assert not isinstance(harness.lms.find("k0"), Done)


def _on(harness: LmsHarness, course: str) -> Order:
    return Order(key="k1", account=harness.account, person="ana", course=course, cycle="2025-12-20", attempt=0)

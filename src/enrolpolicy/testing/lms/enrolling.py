"""How an LMS answers (L0), and what enrolling comes to: at most one (L1), the same answer (L2), refusals (L3)."""

from enrolpolicy.ports import (
    Done,
    Refused,
)
from enrolpolicy.testing.contract import law
from enrolpolicy.testing.examining import (
    CODE,
    HOSTILE,
    answered,
    at_once,
    done,
    overheard,
    refused,
    silent_about,
    unknown,
)
from enrolpolicy.testing.harness import LmsHarness, Mishap
from enrolpolicy.testing.lms.words import (
    FINAL,
    KEYS,
    KEYS_FOR_A_TIME,
    MOMENT,
    NO_DOUBLES,
    NOT_FINAL,
    ONE_OPEN,
    booked,
    open_now,
)


class Enrolling:
    """How an LMS answers (L0), and what enrolling comes to: at most one (L1), the same answer (L2), refusals (L3)."""

    # L0: how it answers

    @law("L0")
    def test_l0_whatever_happens_it_answers(self, harness: LmsHarness) -> None:
        """Whatever befalls a call, it ends in Done, Refused or Unknown, never in an exception."""
        ref = booked(harness, "k0").ref
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
            assert len(open_now(harness, id, id)) == 1
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
            booked(harness)
        assert len(open_now(harness)) == 1

    @law("L1b", KEYS)
    def test_l1b_a_key_means_one_thing(self, harness: LmsHarness) -> None:
        """The same key with other arguments is refused, and changes nothing."""
        booked(harness)
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
            assert len(open_now(harness, f"p{number}")) == 1

    @law("L1d", NO_DOUBLES)
    def test_l1d_after_a_lost_answer(self, harness: LmsHarness) -> None:
        """Asking again after a lost answer leaves one enrolment, and says which."""
        order = harness.order("k1")
        harness.befall(Mishap.LOST_ANSWER)
        unknown(harness.lms.enrol(order))
        assert done(harness.lms.enrol(order)).ref
        assert len(open_now(harness)) == 1

    @law("L1e")
    def test_l1e_after_a_lost_request(self, harness: LmsHarness) -> None:
        """Asking again after a request that never arrived makes the enrolment."""
        order = harness.order("k1")
        harness.befall(Mishap.LOST_REQUEST)
        unknown(harness.lms.enrol(order))
        assert open_now(harness) == []
        done(harness.lms.enrol(order))
        assert len(open_now(harness)) == 1

    @law("L1f", KEYS_FOR_A_TIME)
    def test_l1f_for_as_long_as_declared(self, harness: LmsHarness) -> None:
        """A key is recognised up to the end of the declared time."""
        kept = harness.lms.capabilities.keys_kept
        assert kept is not None
        first = booked(harness)
        harness.advance(kept - MOMENT)
        assert booked(harness) == first
        assert len(open_now(harness)) == 1

    @law("L1g", ONE_OPEN)
    def test_l1g_one_open_whatever_the_key(self, harness: LmsHarness) -> None:
        """Where one open enrolment is declared, another key for it leaves it the only one."""
        for key in ("k1", "k2"):
            booked(harness, key)
        assert len(open_now(harness)) == 1

    @law("L1h", ONE_OPEN)
    def test_l1h_somebody_else_s(self, harness: LmsHarness) -> None:
        """An enrolment that somebody else made is told as foreign, is not charged for, and is left as it is."""
        harness.given("ana", "fire")
        harness.book_by_hand("ana", "fire")
        before = harness.peek()
        assert booked(harness).foreign
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
        assert booked(harness) == booked(harness)

    @law("L2b", KEYS)
    def test_l2b_once_started_and_completed(self, harness: LmsHarness) -> None:
        """A repeated key gets the same answer once the course is started or completed, and changes nothing."""
        first = booked(harness)
        for happens in (harness.learner_starts, harness.learner_completes):
            happens("k1")
            before = harness.peek()
            assert booked(harness) == first
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
        assert open_now(harness) == []
        booked(harness, "k2")

    @law("L3b", NOT_FINAL)
    def test_l3b_final_is_not_claimed(self, harness: LmsHarness) -> None:
        """Where refusals are not final, none is told as final."""
        harness.given("ana", "fire")
        harness.refuse("ana", "fire", "no-seat")
        assert not refused(harness.lms.enrol(harness.order("k1"))).final

    @law("L3c")
    def test_l3c_nothing_happened(self, harness: LmsHarness) -> None:
        """What is refused has not happened, and neither has anything else."""
        booked(harness, "k0", "bo")
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

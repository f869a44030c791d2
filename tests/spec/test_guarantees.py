"""What is promised follows from what the ports can do, for every combination of capabilities."""

from datetime import timedelta
from functools import cache
from itertools import chain, combinations, product

import pytest
from attrs import evolve

from enrolpolicy import FOR_EVER, Charge, LmsCapabilities, MailerCapabilities, PromiseTooWeak, Weakness
from enrolpolicy.adapters.memory import STRONG
from enrolpolicy.guarantees import (
    IMPOSSIBLE,
    PROMISES,
    WEAKNESSES,
    Cancelling,
    Guarantee,
    InDoubt,
    Invitations,
    accepted,
    guarantee,
    promise,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SMTP, WINDOW = MailerCapabilities(deduplicates_for=None), MailerCapabilities(deduplicates_for=DAY)
# From the weakest to the strongest; where an LMS forgets cancelled keys it is the weaker.
SCALES: dict[str, tuple[object, ...]] = {
    "keys_kept": (None, DAY, FOR_EVER),
    "refusals_final": (False, True),
    "finds": (False, True),
    "latest_arrival": (None, HOUR),
    "one_open": (False, True),
    "cancels_unstarted": (False, True),
    "cancel_frees_key": (True, False),
}
EVERY = [
    evolve(STRONG, **dict(zip(SCALES, values, strict=True)))  # type: ignore[arg-type] # a table of fields
    for values in product(*SCALES.values())
]
ABOUT_ENROLMENTS = [weakness for weakness in Weakness if weakness is not Weakness.AT_MOST_ONE_INVITATION]
ACCEPTED = [
    frozenset(some)
    for some in chain.from_iterable(combinations(ABOUT_ENROLMENTS, count) for count in range(len(ABOUT_ENROLMENTS) + 1))
]


def stronger(lms: LmsCapabilities) -> list[LmsCapabilities]:
    """The LMSs that are one step stronger in one thing."""
    found = []
    for name, scale in SCALES.items():
        place = scale.index(getattr(lms, name))
        if place + 1 < len(scale):
            found.append(evolve(lms, **{name: scale[place + 1]}))  # type: ignore[arg-type] # a table of fields
    return found


@cache
def over_smtp(lms: LmsCapabilities, accept: frozenset[Weakness]) -> Guarantee:
    return guarantee(lms, SMTP, accept)


def enough(lms: LmsCapabilities, accept: frozenset[Weakness]) -> bool:
    return set(over_smtp(lms, accept).weaknesses) <= accept


class TestEveryLmsHasAPromise:
    """For every combination of capabilities there is a promise; every row of the table is the promise of some LMS."""

    def test_total(self) -> None:
        assert len(EVERY) == 3 * 2**6
        assert {promise(lms).id for lms in EVERY} == {row.id for row in PROMISES}

    def test_ids_are_unique(self) -> None:
        assert len({row.id for row in PROMISES}) == len(PROMISES)

    def test_every_weakness_is_explained(self) -> None:
        assert set(WEAKNESSES) == set(Weakness)
        for words in (*WEAKNESSES.values(), *chain.from_iterable(IMPOSSIBLE)):
            assert words[0].islower()
            assert not words.endswith(".")

    def test_every_weakness_but_the_chosen_ones_stands_in_a_row(self) -> None:
        chosen = {Weakness.AT_LEAST_ONCE, Weakness.AT_MOST_ONE_INVITATION}
        assert {weakness for row in PROMISES for weakness in row.weaknesses} == set(Weakness) - chosen


class TestStrongerIsNeverWeaker:
    """An LMS that can do more is never promised less, and what a host accepted for the weaker one stays enough."""

    def test_rows_that_hold_go_on_holding(self) -> None:
        for lms in EVERY:
            for other in stronger(lms):
                for row in PROMISES:
                    assert not row.holds(lms) or row.holds(other), (row.id, lms, other)

    def test_what_was_accepted_is_enough(self) -> None:
        for lms in EVERY:
            for accept in ACCEPTED:
                if enough(lms, accept):
                    assert all(enough(other, accept) for other in stronger(lms)), (lms, accept)

    def test_the_default_promise_is_not_lost(self) -> None:
        for lms in EVERY:
            if not promise(lms).weaknesses:
                assert not any(promise(other).weaknesses for other in stronger(lms))

    def test_what_is_done_in_doubt_is_never_left_to_a_person_instead(self) -> None:
        for lms in EVERY:
            if promise(lms).in_doubt is not InDoubt.HOLD:
                assert all(promise(other).in_doubt is not InDoubt.HOLD for other in stronger(lms))

    def test_accepting_more_is_enough_as_well(self) -> None:
        for lms in EVERY:
            for accept in ACCEPTED:
                if enough(lms, accept):
                    assert all(enough(lms, accept | {more}) for more in ABOUT_ENROLMENTS)


class TestWhatIsDoneCanBeDone:
    """What is done in doubt is what the LMS can do: looked up where it finds, held where nothing else is safe."""

    def test_looking_up_needs_look_up_and_a_bound(self) -> None:
        for lms, accept in product(EVERY, ACCEPTED):
            found = over_smtp(lms, accept)
            if InDoubt.FIND in (found.in_doubt, found.later):
                assert lms.finds
                assert lms.latest_arrival is not None

    def test_asking_again_without_a_safeguard_is_at_least_once_and_says_so(self) -> None:
        for lms, accept in product(EVERY, ACCEPTED):
            found = over_smtp(lms, accept)
            safe = lms.keys_kept is not None or lms.one_open
            if found.in_doubt is InDoubt.RESEND and not safe:
                assert found.weaknesses == (Weakness.AT_LEAST_ONCE,)

    def test_asking_again_after_keys_are_forgotten_says_so_too(self) -> None:
        for lms, accept in product(EVERY, ACCEPTED):
            found = over_smtp(lms, accept)
            if found.later is InDoubt.RESEND and lms.keys_kept != FOR_EVER and not lms.one_open:
                assert found.weaknesses == (Weakness.AT_LEAST_ONCE,)

    def test_only_look_up_alone_needs_one_run_at_a_time(self) -> None:
        for lms in EVERY:
            found = guarantee(lms, SMTP)
            assert found.exclusive == (promise(lms).id == "find-bounded")

    def test_at_least_once_turns_holding_into_asking_again(self) -> None:
        for lms in EVERY:
            found = guarantee(lms, SMTP, {Weakness.AT_LEAST_ONCE})
            if set(found.weaknesses) <= {Weakness.AT_LEAST_ONCE}:
                assert InDoubt.HOLD not in (found.in_doubt, found.later)


class TestInvitationsAndCancelling:
    """Invitations depend on the mailer and on the LMS's own letters, cancelling on what the LMS refuses."""

    @pytest.mark.parametrize(
        ("sends", "mailer", "accept", "promised"),
        [
            (True, SMTP, (), Invitations.BY_LMS),
            (True, WINDOW, (Weakness.AT_MOST_ONE_INVITATION,), Invitations.BY_LMS),
            (False, WINDOW, (), Invitations.EXACTLY_ONCE),
            (False, WINDOW, (Weakness.AT_MOST_ONE_INVITATION,), Invitations.EXACTLY_ONCE),
            (False, SMTP, (), Invitations.AT_LEAST_ONCE),
            (False, SMTP, (Weakness.AT_MOST_ONE_INVITATION,), Invitations.AT_MOST_ONCE),
        ],
    )
    def test_invitations(
        self, sends: bool, mailer: MailerCapabilities, accept: tuple[Weakness, ...], promised: Invitations
    ) -> None:
        assert guarantee(evolve(STRONG, sends_invitation=sends), mailer, accept).invitations is promised

    def test_cancelling(self) -> None:
        for lms in EVERY:
            wanted = Cancelling.NEVER_STARTED if lms.cancels_unstarted else Cancelling.NARROWED
            assert guarantee(lms, SMTP).cancelling is wanted

    def test_when_it_charges_promises_nothing(self) -> None:
        for lms in EVERY:
            assert guarantee(lms, SMTP) == guarantee(evolve(lms, charges=Charge.ON_START), SMTP)


class TestTooWeak:
    """Below the default promise a host must accept what there is by name, and is told which names and their meaning."""

    def test_it_names_what_is_missing(self) -> None:
        nothing = evolve(STRONG, keys_kept=None, finds=False)
        with pytest.raises(PromiseTooWeak) as raised:
            accepted(nothing, SMTP)
        assert str(raised.value) == (
            "this LMS is too weak for exactly one enrolment; accept `at-most-once` to run all the same: "
            "an enrolment in doubt is held until a person has looked"
        )
        assert raised.value.missing == (Weakness.AT_MOST_ONCE,)
        assert raised.value.guarantee == guarantee(nothing, SMTP)

    def test_exactly_the_names_it_tells_are_enough(self) -> None:
        for lms in EVERY:
            try:
                found = accepted(lms, SMTP)
            except PromiseTooWeak as weak:
                assert accepted(lms, SMTP, weak.missing).weaknesses == weak.missing
            else:
                assert found.weaknesses == ()

    def test_another_name_is_not_enough(self) -> None:
        with pytest.raises(PromiseTooWeak, match="`one-open`"):
            accepted(evolve(STRONG, keys_kept=None, one_open=True, finds=False), SMTP, {Weakness.ONE_RUNNER})

    def test_what_was_accepted_chooses_between_two_ways(self) -> None:
        both = evolve(STRONG, keys_kept=None, one_open=True, latest_arrival=HOUR)
        assert accepted(both, SMTP, {Weakness.ONE_RUNNER}).exclusive
        assert accepted(both, SMTP, {Weakness.ONE_OPEN}).in_doubt is InDoubt.RESEND

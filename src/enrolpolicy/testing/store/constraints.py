"""What a store lets nobody break: keys (S2), one open row (S3), fences (S4) and credits (S5)."""

from attrs import evolve

from enrolpolicy.ports import Done, LetterWrite, Writes
from enrolpolicy.rows import RowStatus
from enrolpolicy.testing.builders import letter, row
from enrolpolicy.testing.contract import law
from enrolpolicy.testing.examining import at_once, done
from enrolpolicy.testing.harness import StoreHarness
from enrolpolicy.testing.store.words import ACME, PEOPLE, REGISTER, claimed, desk_of, is_refused, moved, ready, transact


class Constraints:
    """What a store lets nobody break: keys (S2), one open row (S3), fences (S4) and credits (S5)."""

    # S2, S3: constraints

    @law("S2")
    def test_s2_keys_are_unique(self, harness: StoreHarness) -> None:
        """A second row under a key is refused as `key`, and the first is as it was."""
        store = ready(harness)
        claimed(store, row("k1"))
        is_refused(harness, moved((row("k1", person="bo"), None)), "key")

    @law("S2b")
    def test_s2b_one_of_two(self, harness: StoreHarness) -> None:
        """Of two who claim a key at the same moment, one has it, and the other is refused."""
        store = ready(harness)
        other = harness.another()
        for number in range(5):
            one = row(f"k{number}", person=PEOPLE[number % 3], course=("fire", "ice")[number // 3], credits=0)
            said = at_once([lambda: transact(store, moved((one, None))), lambda: transact(other, moved((one, None)))])
            assert sum(isinstance(answer, Done) for answer in said) == 1, said
            assert sum(seen.key == one.key for seen in harness.rows(ACME)) == 1

    @law("S3")
    def test_s3_one_open_row(self, harness: StoreHarness) -> None:
        """A second open row of a person on a course is refused as `open`, whatever the first one waits for."""
        store = ready(harness)
        for number, status in enumerate((RowStatus.PENDING, RowStatus.HELD, RowStatus.BOOKED)):
            first = row(f"k{number}", person=PEOPLE[number], status=status)
            claimed(store, first)
            is_refused(harness, moved((evolve(first, key="k9", status=RowStatus.PENDING, credits=0), None)), "open")

    @law("S3b")
    def test_s3b_also_within_one_transaction(self, harness: StoreHarness) -> None:
        """Two open rows of a person on a course are refused in one transaction, too."""
        ready(harness)
        is_refused(harness, moved((row("k1"), None), (row("k2"), None)), "open")

    @law("S3c")
    def test_s3c_what_has_ended_is_no_hindrance(self, harness: StoreHarness) -> None:
        """Ended rows, and those of others or on other courses, stand in nobody's way."""
        store, first = ready(harness), row("k1")
        claimed(store, first)
        ended = evolve(first, status=RowStatus.REFUSED)
        done(transact(store, moved((ended, first), (row("k2"), None))))
        claimed(store, row("k3", person="bo", credits=0), row("k4", course="ice", credits=0))
        assert len(harness.rows(ACME)) == 4

    @law("S3d")
    def test_s3d_nothing_is_opened_again_beside_another(self, harness: StoreHarness) -> None:
        """An ended row cannot be opened again beside an open one."""
        store, first = ready(harness), row("k1", status=RowStatus.REFUSED)
        claimed(store, first)
        claimed(store, row("k2"))
        is_refused(harness, moved((evolve(first, status=RowStatus.BOOKED, credits=0), first)), "open")

    # S4: fences

    @law("S4")
    def test_s4_the_fence_decides(self, harness: StoreHarness) -> None:
        """A write that names another fence than the row has is refused as `fence`."""
        store, one = ready(harness), row(fence=3)
        claimed(store, one)
        booked = evolve(one, status=RowStatus.BOOKED, fence=4)
        for fence in (2, 4):
            is_refused(harness, moved((booked, evolve(one, fence=fence))), "fence")
        done(transact(store, moved((booked, one))))
        assert harness.rows(ACME) == (booked,)
        is_refused(harness, moved((booked, one), entries=()), "fence")

    @law("S4b")
    def test_s4b_of_a_row_that_is_not_there(self, harness: StoreHarness) -> None:
        """A write to a row that is not there is refused as `fence`, and makes none."""
        ready(harness)
        is_refused(harness, moved((row(status=RowStatus.BOOKED), row())), "fence")

    @law("S4c")
    def test_s4c_letters_have_fences_too(self, harness: StoreHarness) -> None:
        """A letter's fence decides in the same way: taken twice, or written twice, it is refused as `fence`."""
        store, one = ready(harness), row()
        first = letter(one)
        claimed(store, one, letters=[LetterWrite(letter=first, fence=None)])
        taken = evolve(first, fence=1, tries=1)
        is_refused(harness, Writes(letters=(LetterWrite(letter=taken, fence=None),)), "fence")
        done(transact(store, Writes(letters=(LetterWrite(letter=taken, fence=0),))))
        is_refused(harness, Writes(letters=(LetterWrite(letter=taken, fence=0),)), "fence")
        assert harness.letters(ACME) == (taken,)

    # S5: credits

    @law("S5")
    def test_s5_no_more_than_there_are(self, harness: StoreHarness) -> None:
        """A claim that exceeds the credits left is refused as `credits`; the last credit can be had."""
        store = ready(harness)
        claimed(store, row("k1", credits=2))
        is_refused(harness, moved((row("k2", person="bo", credits=2), None)), "credits")
        claimed(store, row("k2", person="bo", credits=1))
        is_refused(harness, moved((row("k3", person="cy", credits=1), None)), "credits")
        assert desk_of(store, ()).reserved == 3

    @law("S5b")
    def test_s5b_what_is_spent_is_gone(self, harness: StoreHarness) -> None:
        """Spent credits are taken off the balance, and count no longer as reserved."""
        store, one = ready(harness), row("k1", credits=2, status=RowStatus.BOOKED)
        claimed(store, one)
        done(transact(store, moved((evolve(one, status=RowStatus.IN_PROGRESS), one), spent=2)))
        assert harness.balance(ACME) == 1
        assert desk_of(store).reserved == 0
        assert desk_of(store).snapshot.account.credits == 1
        is_refused(harness, moved((row("k2", person="bo", credits=2), None)), "credits")

    @law("S5c")
    def test_s5c_what_has_ended_is_given_back(self, harness: StoreHarness) -> None:
        """What was refused or cancelled reserves nothing any more."""
        store, one = ready(harness), row("k1", credits=3)
        claimed(store, one)
        done(transact(store, moved((evolve(one, status=RowStatus.REFUSED), one))))
        assert desk_of(store).reserved == 0
        claimed(store, row("k2", person="bo", credits=3))

    @law("S5d")
    def test_s5d_what_reserves_nothing_is_never_refused_for_credits(self, harness: StoreHarness) -> None:
        """With the balance below what is reserved, all that reserves no more still goes."""
        store, one = ready(harness), row("k1", credits=3)
        claimed(store, one)
        harness.put(evolve(REGISTER, account=evolve(REGISTER.account, credits=1)))
        claimed(store, row("k2", person="bo", credits=0))
        done(transact(store, moved((evolve(one, status=RowStatus.BOOKED), one))))

    @law("S5e")
    def test_s5e_unmetered(self, harness: StoreHarness) -> None:
        """Where credits are not metered, none are ever missing, and the balance stays unknown."""
        store = ready(harness, evolve(REGISTER, account=evolve(REGISTER.account, credits=None)))
        claimed(store, row("k1", credits=10**6))
        done(transact(store, Writes(spent=5)))
        assert harness.balance(ACME) is None

    @law("S5f")
    def test_s5f_two_at_the_last_credit(self, harness: StoreHarness) -> None:
        """Two who claim the last credit at the same moment do not both get it."""
        store = ready(harness, evolve(REGISTER, account=evolve(REGISTER.account, credits=1)))
        other = harness.another()
        said = at_once(
            [
                lambda: transact(store, moved((row("k1"), None))),
                lambda: transact(other, moved((row("k2", person="bo"), None))),
            ]
        )
        assert sum(isinstance(answer, Done) for answer in said) == 1, said
        assert len(harness.rows(ACME)) == 1

    @law("S5g")
    def test_s5g_spending_and_reserving_in_one(self, harness: StoreHarness) -> None:
        """What a transaction spends is not there for what it reserves."""
        ready(harness)
        is_refused(harness, moved((row("k1", credits=3), None), spent=1), "credits")

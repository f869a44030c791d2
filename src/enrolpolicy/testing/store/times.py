"""The store's clock and what it has left behind (S9), and the journal (S10)."""

from datetime import timedelta

from attrs import evolve

from enrolpolicy.ports import LetterWrite, Writes
from enrolpolicy.rows import LetterStatus, RowStatus
from enrolpolicy.testing.builders import NIGHT, entry, letter, row
from enrolpolicy.testing.contract import law
from enrolpolicy.testing.examining import done, refused
from enrolpolicy.testing.harness import StoreHarness
from enrolpolicy.testing.store.words import ACME, backlog_of, claimed, desk_of, is_refused, moved, ready, transact


class Times:
    """The store's clock and what it has left behind (S9), and the journal (S10)."""

    # S9: the store's clock

    @law("S9")
    def test_s9_one_clock(self, harness: StoreHarness) -> None:
        """`now` has an offset, is the same clock for every call, and never goes back."""
        store = ready(harness)
        first, second, third = desk_of(store).now, backlog_of(store).now, desk_of(store).now
        assert first.utcoffset() is not None
        assert first <= second <= third
        harness.advance(timedelta(hours=1))
        assert desk_of(store).now >= first + timedelta(hours=1)
        assert backlog_of(store).now >= first + timedelta(hours=1)

    @law("S9b")
    def test_s9b_leases(self, harness: StoreHarness) -> None:
        """What is under a lease is nobody's to settle, until the lease is over; only what is in the middle is."""
        store = ready(harness)
        lease = timedelta(hours=1)
        until = desk_of(store).now + lease
        held = row("k1", lease_until=until)
        claimed(store, held, row("k2", person="bo"), row("k3", person="cy", status=RowStatus.BOOKED))
        assert [one.key for one in backlog_of(store).rows] == ["k2"]
        harness.advance(lease)
        assert [one.key for one in backlog_of(store).rows] == ["k1", "k2"]

    @law("S9c")
    def test_s9c_cancellations_are_settled_too(self, harness: StoreHarness) -> None:
        """A row that is being cancelled is left behind like one that is pending."""
        store, one = ready(harness), row(status=RowStatus.BOOKED)
        claimed(store, one)
        done(transact(store, moved((evolve(one, status=RowStatus.CANCELLING), one))))
        assert [seen.key for seen in backlog_of(store).rows] == ["k1"]

    @law("S9d")
    def test_s9d_what_may_come_back(self, harness: StoreHarness) -> None:
        """What was refused or cancelled, and may come back, is given where it is asked for, however long ago it was."""
        store = ready(harness)
        now = desk_of(store).now
        refusal = row("k1", status=RowStatus.REFUSED, ended_at=now)
        settled = row("k2", person="bo", status=RowStatus.REFUSED)
        claimed(store, refusal, settled, row("k3", person="cy"))
        assert [one.key for one in backlog_of(store).rows] == ["k1", "k3"]
        assert [one.key for one in backlog_of(store, ended=False).rows] == ["k3"]
        harness.advance(timedelta(days=400))
        assert [one.key for one in backlog_of(store).rows] == ["k1", "k3"]

    @law("S9e")
    def test_s9e_letters_that_are_due(self, harness: StoreHarness) -> None:
        """Letters are due when they are pending, their time has come, and nobody has them."""
        store, one = ready(harness), row()
        now, hour = desk_of(store).now, timedelta(hours=1)
        letters = [
            letter(one, "a" * 32),
            letter(one, "b" * 32, due_at=now + hour),
            letter(one, "c" * 32, lease_until=now + hour),
            evolve(letter(one, "d" * 32), status=LetterStatus.SENT),
            evolve(letter(one, "e" * 32), status=LetterStatus.DEAD),
        ]
        claimed(store, one, letters=[LetterWrite(letter=each, fence=None) for each in letters])
        assert [each.message_id[0] for each in backlog_of(store).letters] == ["a"]
        harness.advance(hour)
        assert sorted(each.message_id[0] for each in backlog_of(store).letters) == ["a", "b", "c"]

    @law("S9f")
    def test_s9f_whose_turn_it_is(self, harness: StoreHarness) -> None:
        """Which run has the account, and until when, is kept; so is the latest night that was done."""
        store = ready(harness)
        assert (desk_of(store).run_by, desk_of(store).run_until) == (None, None)
        until = desk_of(store).now + timedelta(minutes=5)
        done(transact(store, Writes(run_by="us", run_until=until, night=NIGHT)))
        done(transact(store, Writes(night=NIGHT - timedelta(days=1))))
        assert (desk_of(store).run_by, desk_of(store).run_until) == ("us", until)
        assert backlog_of(store).last_night == NIGHT

    @law("S9g")
    def test_s9g_what_is_held(self, harness: StoreHarness) -> None:
        """What is held for a person is named every time, until the person has settled it."""
        store, one = ready(harness), row("k1", status=RowStatus.HELD)
        claimed(store, one, row("k2", person="bo"))
        for _ in range(2):
            assert backlog_of(store, ended=False).held == (one,)
            harness.advance(timedelta(days=1))
        done(transact(store, moved((evolve(one, status=RowStatus.BOOKED), one))))
        assert backlog_of(store).held == ()

    # S10: the journal

    @law("S10")
    def test_s10_no_move_without_an_entry(self, harness: StoreHarness) -> None:
        """A row that moves without its entry is refused as `journal`."""
        store, one = ready(harness), row()
        is_refused(harness, moved((one, None), entries=()), "journal")
        claimed(store, one)
        is_refused(harness, moved((evolve(one, status=RowStatus.BOOKED), one), entries=()), "journal")

    @law("S10b")
    def test_s10b_no_entry_without_a_move(self, harness: StoreHarness) -> None:
        """An entry whose row does not move, or moves otherwise, is refused as `journal`."""
        store, one = ready(harness), row()
        claimed(store, one)
        booked = evolve(one, status=RowStatus.BOOKED)
        is_refused(harness, Writes(entries=(entry(booked, RowStatus.PENDING),)), "journal")
        wrong = entry(evolve(one, status=RowStatus.REFUSED), RowStatus.PENDING)
        is_refused(harness, moved((booked, one), entries=(wrong,)), "journal")
        is_refused(harness, moved((booked, one), entries=(entry(booked, RowStatus.HELD),)), "journal")

    @law("S10c")
    def test_s10c_written_with_the_move(self, harness: StoreHarness) -> None:
        """Entries are written with their moves, as they were given, and stay for ever in that order."""
        store, one = ready(harness), row()
        booked = evolve(one, status=RowStatus.BOOKED, because="“née”")
        first, second = entry(one, because="“expiring” 🎓"), entry(booked, RowStatus.PENDING)
        done(transact(store, moved((one, None), entries=(first,))))
        done(transact(store, moved((booked, one), entries=(second,))))
        assert harness.journal(ACME) == (first, second)
        refused(transact(store, moved((booked, one))))
        assert harness.journal(ACME) == (first, second)

    @law("S10d")
    def test_s10d_several_moves_at_once(self, harness: StoreHarness) -> None:
        """Several moves of a row in one transaction are several entries, one leading to the next."""
        store, one = ready(harness), row()
        claimed(store, one)
        cancelling = evolve(one, status=RowStatus.CANCELLING, fence=2)
        entries = (entry(evolve(one, status=RowStatus.BOOKED), RowStatus.PENDING), entry(cancelling, RowStatus.BOOKED))
        done(transact(store, moved((cancelling, one), entries=entries)))
        assert harness.journal(ACME) == (entry(one), *entries)
        assert harness.rows(ACME) == (cancelling,)

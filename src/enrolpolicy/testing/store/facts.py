"""What is written with a row (S6), commits that nobody confirmed (S7), and what a transaction sees (S8)."""

from attrs import evolve

from enrolpolicy.model import EnrolmentStatus
from enrolpolicy.ports import Desk, LetterWrite, Writes
from enrolpolicy.rows import LetterStatus, RowStatus, enrolment_of
from enrolpolicy.testing.builders import NIGHT, letter, register, row
from enrolpolicy.testing.contract import law
from enrolpolicy.testing.examining import answered, done, unknown
from enrolpolicy.testing.harness import Mishap, StoreHarness
from enrolpolicy.testing.store.words import ACME, PEOPLE, REGISTER, claimed, desk_of, is_refused, moved, ready, transact


class Facts:
    """What is written with a row (S6), commits that nobody confirmed (S7), and what a transaction sees (S8)."""

    # S6: letters

    @law("S6")
    def test_s6_with_the_row(self, harness: StoreHarness) -> None:
        """A letter is written with its row, or neither is."""
        store, one = ready(harness), row()
        claimed(store, one)
        booked = evolve(one, status=RowStatus.BOOKED)
        unsent = LetterWrite(letter=letter(one), fence=None)
        is_refused(harness, moved((booked, evolve(one, fence=9)), letters=[unsent]), "fence")
        done(transact(store, moved((booked, one), letters=[unsent])))
        assert (harness.rows(ACME), harness.letters(ACME)) == ((booked,), (letter(one),))
        second = row("k2", person="bo")
        is_refused(harness, moved((second, None), letters=[unsent]), "fence")

    @law("S6b")
    def test_s6b_letters_of_those_asked_for(self, harness: StoreHarness) -> None:
        """A transaction sees the letters of the people it asked for, sent ones too, and of nobody else."""
        store, ours, theirs = ready(harness), row("k1"), row("k2", person="bo")
        mine = evolve(letter(ours, "a" * 32), status=LetterStatus.SENT)
        claimed(store, ours, theirs, letters=[LetterWrite(letter=mine, fence=None)])
        done(transact(store, Writes(letters=(LetterWrite(letter=letter(theirs, "b" * 32), fence=None),))))
        assert desk_of(store, ("ana",)).letters == (mine,)

    # S7: commits nobody confirmed

    @law("S7")
    def test_s7_a_lost_commit(self, harness: StoreHarness) -> None:
        """A commit that nobody confirmed is Unknown, and it was done whole or not at all."""
        store = ready(harness)
        for number, mishap in enumerate((Mishap.LOST_REQUEST, Mishap.LOST_ANSWER)):
            one = row(f"k{number}", person=PEOPLE[number])
            unsent = LetterWrite(letter=letter(one, f"{number}" * 32), fence=None)
            harness.befall(mishap)
            unknown(answered(lambda: transact(store, moved((one, None), letters=[unsent]))))
            counts = {
                sum(seen.key == one.key for seen in rows)
                for rows in (harness.rows(ACME), harness.letters(ACME), harness.journal(ACME))
            }
            assert counts in ({0}, {1}), "it was done by half"
            assert desk_of(store, (one.person,)).rows in ((), (one,))

    # S8: what is read inside

    @law("S8")
    def test_s8_the_facts_of_now(self, harness: StoreHarness) -> None:
        """A transaction sees what holds now: what another handle wrote, and how the register has changed."""
        store = ready(harness)
        assert desk_of(store).rows == ()
        other = harness.another()
        claimed(other, row())
        changed = evolve(REGISTER, opt_outs=register(opt_outs=[("ana", "fire")]).opt_outs)
        harness.put(changed)
        desk = desk_of(store)
        assert desk.rows == (row(),)
        assert desk.snapshot.opt_outs == changed.opt_outs
        assert done(store.snapshot(ACME)).opt_outs == changed.opt_outs

    @law("S8b")
    def test_s8b_all_about_those_asked_for(self, harness: StoreHarness) -> None:
        """A transaction sees all settings, courses and roles, and of the people asked for everything, nobody else's."""
        store, ours, theirs = ready(harness), row("k1"), row("k2", person="bo", credits=2)
        claimed(store, ours, theirs)
        desk = desk_of(store, ("ana",))
        seen = desk.snapshot
        assert (seen.account, set(seen.courses), set(seen.roles)) == (
            REGISTER.account, set(REGISTER.courses), set(REGISTER.roles),
        )  # fmt: skip
        assert [one.id for one in seen.personnel] == ["ana"]
        assert set(seen.records) == {one for one in REGISTER.records if one.person == "ana"}
        assert desk.rows == (ours,)
        assert seen.enrolments == (enrolment_of(ours),)
        assert desk.reserved == 3, "what is reserved is that of the whole account"

    @law("S8c")
    def test_s8c_the_whole_register(self, harness: StoreHarness) -> None:
        """A snapshot is the whole register, its enrolments made from the rows."""
        store, one = ready(harness), row(status=RowStatus.HELD)
        claimed(store, one)
        seen = done(store.snapshot(ACME))
        assert seen.enrolments == (enrolment_of(one),)
        for table in ("courses", "roles", "personnel", "records", "assignments", "opt_outs"):
            assert set(getattr(seen, table)) == set(getattr(REGISTER, table))
        assert seen.account == REGISTER.account

    @law("S8d")
    def test_s8d_work_may_be_called_again(self, harness: StoreHarness) -> None:
        """However often its work is called, a transaction writes and answers what the last call said, once."""
        store, calls = ready(harness), []

        def work(desk: Desk) -> tuple[Writes, int]:
            calls.append(desk)
            return moved((row(f"k{len(calls)}"), None)), len(calls)

        count = done(store.transact(ACME, PEOPLE, work))
        assert count == len(calls)
        assert [seen.key for seen in harness.rows(ACME)] == [f"k{count}"]

    @law("S8e")
    def test_s8e_what_came_with_the_register_follows_it(self, harness: StoreHarness) -> None:
        """A booking that no run has moved is as a newer register has it, and gone when it has it no more."""
        by_hand = enrolment_of(row("k1", status=RowStatus.BOOKED))
        store = ready(harness, evolve(REGISTER, enrolments=(by_hand,)))
        assert done(store.snapshot(ACME)).enrolments == (by_hand,)
        ended = evolve(by_hand, status=EnrolmentStatus.COMPLETED, ended_on=NIGHT)
        harness.put(evolve(REGISTER, enrolments=(ended,)))
        assert desk_of(store).snapshot.enrolments == (ended,)
        assert desk_of(store).reserved == 0
        harness.put(REGISTER)
        assert done(store.snapshot(ACME)).enrolments == ()
        assert desk_of(store).rows == ()

    @law("S8f")
    def test_s8f_what_a_run_has_moved_does_not(self, harness: StoreHarness) -> None:
        """What a run has made or moved stays as the run left it, whatever a newer register says."""
        by_hand = enrolment_of(row("k1", status=RowStatus.BOOKED))
        store, made = ready(harness, evolve(REGISTER, enrolments=(by_hand,))), row("k2", person="bo")
        [came] = desk_of(store, ("ana",)).rows
        cancelling = evolve(came, status=RowStatus.CANCELLING, fence=came.fence + 1)
        done(transact(store, moved((cancelling, came))))
        claimed(store, made)
        ended = evolve(enrolment_of(made), status=EnrolmentStatus.CANCELLED, ended_on=NIGHT)
        for newer in ((), (by_hand, ended)):
            harness.put(evolve(REGISTER, enrolments=newer))
            assert harness.rows(ACME) == (cancelling, made)
            assert desk_of(store).reserved == cancelling.credits + made.credits

"""How a store answers, that accounts are apart (S0), and that transactions are all or nothing (S1)."""

from datetime import UTC, date, datetime

from attrs import evolve

from enrolpolicy.ports import Desk, Done, LetterWrite, Store, Unknown, Writes
from enrolpolicy.rows import Letter, Row, RowStatus
from enrolpolicy.testing.builders import NIGHT, course, entry, letter, person, register, row
from enrolpolicy.testing.contract import law
from enrolpolicy.testing.examining import HOSTILE, answered, at_once, done, overheard, refused, silent_about
from enrolpolicy.testing.harness import StoreHarness
from enrolpolicy.testing.store.words import (
    ACME,
    PEOPLE,
    REGISTER,
    backlog_of,
    claimed,
    desk_of,
    is_refused,
    moved,
    ready,
    transact,
    world,
)


class Answers:
    """How a store answers, that accounts are apart (S0), and that transactions are all or nothing (S1)."""

    # S0: how it answers

    @law("S0")
    def test_s0_unknown_accounts(self, harness: StoreHarness) -> None:
        """An account that it does not have is refused as `unknown-account`, by whatever call, and not created."""
        store = ready(harness)
        for _ in range(2):
            assert refused(store.snapshot("other"), "unknown-account").everything
            assert refused(store.backlog("other", True), "unknown-account").everything
            assert refused(transact(store, Writes(), account="other"), "unknown-account").everything

    @law("S0b")
    def test_s0b_nothing_private_is_shown(self, harness: StoreHarness) -> None:
        """No secret and nothing personal stands in its answers to trouble, in its repr, or in what it logs."""
        private = "private-person-4711"
        with overheard() as logged:
            store = ready(harness, register(person(private), credits=3))
            one = row(person=private)
            claimed(store, one)
            bad = [moved((one, None)), moved((one, row(fence=7))), moved((evolve(one, key="k2"), None))]
            shown = [store, *(answered(lambda: transact(store, writes)) for writes in bad)]
        silent_about([*shown, *logged], (*harness.secrets, private))

    @law("S0c")
    def test_s0c_hostile_ids_work(self, harness: StoreHarness) -> None:
        """Ids that are not ASCII, 255 characters long, or full of `/ % ? # & +` and blanks, are whom they say."""
        rows = [row(f"k{id}"[:255], person=id, course=id, credits=0) for id in HOSTILE]
        store = ready(harness, register(*map(person, HOSTILE), courses=tuple(map(course, HOSTILE)), records=()))
        claimed(store, *rows)
        assert set(harness.rows(ACME)) == set(rows)
        for one in rows:
            assert desk_of(store, (one.person,)).rows == (one,)
            assert [seen.id for seen in desk_of(store, (one.person,)).snapshot.personnel] == [one.person]

    @law("S0d")
    def test_s0d_accounts_are_apart(self, harness: StoreHarness) -> None:
        """A transaction sees and changes its own account alone, though ids of people and courses are the same."""
        store = ready(harness)
        harness.put(evolve(REGISTER, account=evolve(REGISTER.account, id="other")))
        claimed(store, row("k1"))
        theirs = row("k2", account="other")
        done(transact(store, moved((theirs, None), spent=1), account="other"))
        assert (harness.rows(ACME), harness.rows("other")) == ((row("k1"),), (theirs,))
        assert (harness.balance(ACME), harness.balance("other")) == (3, 2)
        assert desk_of(store).rows == (row("k1"),)
        assert [one.key for one in backlog_of(store).rows] == ["k1"]
        assert [one.id for one in done(store.snapshot(ACME)).enrolments] == ["k1"]
        assert desk_of(store).reserved == 1

    @law("S0e")
    def test_s0e_accounts_never_meet(self, harness: StoreHarness) -> None:
        """Two accounts of one store never meet, though every id in them is the same, keys and message ids included."""
        store, ours, theirs = ready(harness), row("k1"), row("k1", account="other", person="bo", credits=2)
        harness.put(evolve(REGISTER, account=evolve(REGISTER.account, id="other")))
        letters = [[LetterWrite(letter=letter(one), fence=None)] for one in (ours, theirs)]
        claimed(store, ours, letters=letters[0])
        done(transact(store, moved((theirs, None), letters=letters[1]), account="other"))
        booked = evolve(theirs, status=RowStatus.BOOKED)
        done(transact(store, moved((booked, theirs)), account="other"))
        for account, one in ((ACME, ours), ("other", booked)):
            seen = desk_of(store, account=account)
            assert harness.rows(account) == seen.rows == (one,)
            assert harness.letters(account) == seen.letters == (letter(one),)
            assert {each.account for each in harness.journal(account)} == {account}

    @law("S0f")
    def test_s0f_nothing_of_another_account(self, harness: StoreHarness) -> None:
        """A row, a letter or an entry that names another account than its transaction is refused as `other-account`."""
        store, one = ready(harness), row("k1")
        harness.put(evolve(REGISTER, account=evolve(REGISTER.account, id="other")))
        is_refused(harness, moved((evolve(one, account="other"), None)), "other-account")
        is_refused(harness, moved((one, None), entries=(evolve(entry(one), account="other"),)), "other-account")
        claimed(store, one)
        astray = LetterWrite(letter=evolve(letter(one), account="other"), fence=None)
        is_refused(harness, Writes(letters=(astray,)), "other-account")
        assert world(harness, "other") == ((), (), (), 3)

    # S1: transactions

    @law("S1")
    def test_s1_all_or_nothing(self, harness: StoreHarness) -> None:
        """A transaction with one write that is refused writes nothing at all."""
        store, one = ready(harness), row("k1")
        claimed(store, one)
        good = row("k2", person="bo")
        unsent = LetterWrite(letter=letter(good), fence=None)
        stale = evolve(one, fence=9)
        is_refused(harness, moved((good, None), (stale, stale), letters=[unsent], spent=1), "fence")

    @law("S1b")
    def test_s1b_work_that_breaks_off(self, harness: StoreHarness) -> None:
        """Work that raises writes nothing, and the store goes on."""
        store = ready(harness)

        def work(_: Desk) -> tuple[Writes, None]:
            raise LookupError("the work broke off")

        try:
            said: object = store.transact(ACME, PEOPLE, work)
        except LookupError:
            said = Unknown("raised")
        assert not isinstance(said, Done)
        assert harness.rows(ACME) == ()
        claimed(store, row())

    @law("S1c")
    def test_s1c_durable(self, harness: StoreHarness) -> None:
        """What a transaction wrote is there after everything was closed and opened anew."""
        store, one = ready(harness), row()
        claimed(store, one, letters=[LetterWrite(letter=letter(one), fence=None)])
        done(transact(store, Writes(night=NIGHT, spent=1, run_by="us", run_until=datetime(2026, 11, 24, tzinfo=UTC))))
        before = world(harness)
        again = harness.reopen()
        assert world(harness) == before
        assert desk_of(again).rows == (one,)
        assert desk_of(again).run_by == "us"
        assert backlog_of(again).last_night == NIGHT

    @law("S1d")
    def test_s1d_one_after_the_other(self, harness: StoreHarness) -> None:
        """Transactions of one account at the same moment come out as if one had come after the other."""
        store, one = ready(harness), row(fence=0)
        claimed(store, one)
        other = harness.another()

        def raised(desk: Desk) -> tuple[Writes, None]:
            [seen] = desk.rows
            return moved((evolve(seen, fence=seen.fence + 1), seen)), None

        def often(handle: Store) -> int:
            said = [handle.transact(ACME, ("ana",), raised) for _ in range(10)]
            return sum(isinstance(answer, Done) for answer in said)

        counts = at_once([lambda: often(store), lambda: often(other)])
        [seen] = harness.rows(ACME)
        assert seen.fence == sum(counts), "some transactions were done, and lost again"
        assert sum(counts) > 0, "no transaction at all was done"

    @law("S1e")
    def test_s1e_read_as_written(self, harness: StoreHarness) -> None:
        """What is read is what was written: instants to the microsecond, with their offsets, text, bytes, nothing."""
        store = ready(harness)
        at = datetime(2026, 3, 29, 0, 59, 59, 999999, UTC)
        full = Row(
            key="k1", account=ACME, person="ana", course="fire", cycle="first", attempt=3, status=RowStatus.PENDING,
            because="née Müller 🎓 'quoted'", credits=2, fence=5, lease_until=at, sent_at=at, asked_at=at, ref="a/b?c",
            enrolled_at=at, invited_at=at, ended_on=date(2026, 3, 29), ended_at=at, ended_because="“superseded”",
        )  # fmt: skip
        bare = Row(key="k2", account=ACME, person="bo", course="fire", status=RowStatus.PENDING, enrolled_at=at)
        sent = Letter(
            message_id="f" * 32, account=ACME, key="k1", person="ana", recipient="zoë@acme.example",
            content=b"\x00\xff\r\n.\r\n", tries=2, fence=4, lease_until=at, due_at=at, detail="“later”",
        )  # fmt: skip
        claimed(store, full, bare, letters=[LetterWrite(letter=sent, fence=None)])
        assert harness.rows(ACME) == (full, bare)
        assert harness.letters(ACME) == (sent,)
        desk = desk_of(store)
        assert set(desk.rows) == {full, bare}
        assert desk.letters == (sent,)

    @law("S1f")
    def test_s1f_it_answers_with_the_result(self, harness: StoreHarness) -> None:
        """A transaction answers with what its work came to, whatever that is."""
        store, result = ready(harness), ["anything", None]

        def work(_: Desk) -> tuple[Writes, list[str | None]]:
            return Writes(), result

        assert done(store.transact(ACME, (), work)) == result

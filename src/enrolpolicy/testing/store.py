"""The exam of a store: clauses S1 to S10, and how it answers (S0)."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta

from attrs import evolve

from enrolpolicy.model import EnrolmentStatus, Snapshot
from enrolpolicy.ports import Backlog, Desk, Done, LetterWrite, Refused, RowWrite, Store, Unknown, Writes
from enrolpolicy.rows import Entry, Letter, LetterStatus, Row, RowStatus, enrolment_of
from enrolpolicy.testing.builders import NIGHT, course, entry, letter, person, register, row
from enrolpolicy.testing.contract import Contract, law
from enrolpolicy.testing.examining import HOSTILE, answered, at_once, done, overheard, refused, silent_about, unknown
from enrolpolicy.testing.harness import Mishap, StoreHarness

ACME = "acme"
PEOPLE = ("ana", "bo", "cy")
REGISTER = register(*map(person, PEOPLE), courses=(course("fire"), course("ice")), credits=3)

Said = Done[None] | Refused | Unknown


# Transactions, in few words


def _ready(harness: StoreHarness, snapshot: Snapshot = REGISTER) -> Store:
    harness.put(snapshot)
    return harness.store


def transact(store: Store, writes: Writes, people: Collection[str] = PEOPLE, account: str = ACME) -> Said:
    """A transaction that writes this, whatever it sees."""

    def work(_: Desk) -> tuple[Writes, None]:
        return writes, None

    return store.transact(account, people, work)


def moved(
    *rows: tuple[Row, Row | None],
    letters: Sequence[LetterWrite] = (),
    entries: Sequence[Entry] | None = None,
    spent: int = 0,
) -> Writes:
    """Rows as they are to be, each with how it was, and the journal's entries of their moves."""
    if entries is None:
        entries = [
            entry(now, was.status if was else None) for now, was in rows if was is None or was.status != now.status
        ]
    return Writes(
        rows=tuple(RowWrite(row=now, fence=was.fence if was else None) for now, was in rows),
        letters=tuple(letters),
        entries=tuple(entries),
        spent=spent,
    )


def claimed(store: Store, *rows: Row, letters: Sequence[LetterWrite] = ()) -> None:
    """Rows that are there now; those past pending got there by their entries."""
    entries = [
        one
        for now in rows
        for one in (
            [entry(now)]
            if now.status is RowStatus.PENDING
            else [entry(evolve(now, status=RowStatus.PENDING)), entry(now, RowStatus.PENDING)]
        )
    ]
    done(transact(store, moved(*((now, None) for now in rows), letters=letters, entries=entries)))


def desk_of(store: Store, people: Collection[str] = PEOPLE, account: str = ACME) -> Desk:
    """What a transaction sees now."""

    def work(desk: Desk) -> tuple[Writes, Desk]:
        return Writes(), desk

    return done(store.transact(account, people, work))


def backlog_of(store: Store, *, ended: bool = True) -> Backlog:
    """What is left behind now."""
    return done(store.backlog(ACME, ended))


World = tuple[tuple[Row, ...], tuple[Letter, ...], tuple[Entry, ...], int | None]


def world(harness: StoreHarness, account: str = ACME) -> World:
    """All that a store holds of an account, seen from behind."""
    return harness.rows(account), harness.letters(account), harness.journal(account), harness.balance(account)


def _refused(harness: StoreHarness, writes: Writes, reason: str) -> None:
    before = world(harness)
    said = refused(transact(harness.store, writes), reason)
    assert not said.final, "a store's refusal is never final"
    assert world(harness) == before, "a refused transaction has written something"


class StoreContract(Contract):
    """What every store must do. Subclass it, and give it a fixture `harness`: a `StoreHarness`, new each time."""

    subject = "store"

    # S0: how it answers

    @law("S0")
    def test_s0_unknown_accounts(self, harness: StoreHarness) -> None:
        """An account that it does not have is refused as `unknown-account`, by whatever call, and not created."""
        store = _ready(harness)
        for _ in range(2):
            assert refused(store.snapshot("other"), "unknown-account").everything
            assert refused(store.backlog("other", True), "unknown-account").everything
            assert refused(transact(store, Writes(), account="other"), "unknown-account").everything

    @law("S0b")
    def test_s0b_nothing_private_is_shown(self, harness: StoreHarness) -> None:
        """No secret and nothing personal stands in its answers to trouble, in its repr, or in what it logs."""
        private = "private-person-4711"
        with overheard() as logged:
            store = _ready(harness, register(person(private), credits=3))
            one = row(person=private)
            claimed(store, one)
            bad = [moved((one, None)), moved((one, row(fence=7))), moved((evolve(one, key="k2"), None))]
            shown = [store, *(answered(lambda: transact(store, writes)) for writes in bad)]
        silent_about([*shown, *logged], (*harness.secrets, private))

    @law("S0c")
    def test_s0c_hostile_ids_work(self, harness: StoreHarness) -> None:
        """Ids that are not ASCII, 255 characters long, or full of `/ % ? # & +` and blanks, are whom they say."""
        rows = [row(f"k{id}"[:255], person=id, course=id, credits=0) for id in HOSTILE]
        store = _ready(harness, register(*map(person, HOSTILE), courses=tuple(map(course, HOSTILE)), records=()))
        claimed(store, *rows)
        assert set(harness.rows(ACME)) == set(rows)
        for one in rows:
            assert desk_of(store, (one.person,)).rows == (one,)
            assert [seen.id for seen in desk_of(store, (one.person,)).snapshot.personnel] == [one.person]

    @law("S0d")
    def test_s0d_accounts_are_apart(self, harness: StoreHarness) -> None:
        """A transaction sees and changes its own account alone, though ids of people and courses are the same."""
        store = _ready(harness)
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
        store, ours, theirs = _ready(harness), row("k1"), row("k1", account="other", person="bo", credits=2)
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
        store, one = _ready(harness), row("k1")
        harness.put(evolve(REGISTER, account=evolve(REGISTER.account, id="other")))
        _refused(harness, moved((evolve(one, account="other"), None)), "other-account")
        _refused(harness, moved((one, None), entries=(evolve(entry(one), account="other"),)), "other-account")
        claimed(store, one)
        astray = LetterWrite(letter=evolve(letter(one), account="other"), fence=None)
        _refused(harness, Writes(letters=(astray,)), "other-account")
        assert world(harness, "other") == ((), (), (), 3)

    # S1: transactions

    @law("S1")
    def test_s1_all_or_nothing(self, harness: StoreHarness) -> None:
        """A transaction with one write that is refused writes nothing at all."""
        store, one = _ready(harness), row("k1")
        claimed(store, one)
        good = row("k2", person="bo")
        unsent = LetterWrite(letter=letter(good), fence=None)
        stale = evolve(one, fence=9)
        _refused(harness, moved((good, None), (stale, stale), letters=[unsent], spent=1), "fence")

    @law("S1b")
    def test_s1b_work_that_breaks_off(self, harness: StoreHarness) -> None:
        """Work that raises writes nothing, and the store goes on."""
        store = _ready(harness)

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
        store, one = _ready(harness), row()
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
        store, one = _ready(harness), row(fence=0)
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
        store = _ready(harness)
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
        store, result = _ready(harness), ["anything", None]

        def work(_: Desk) -> tuple[Writes, list[str | None]]:
            return Writes(), result

        assert done(store.transact(ACME, (), work)) == result

    # S2, S3: constraints

    @law("S2")
    def test_s2_keys_are_unique(self, harness: StoreHarness) -> None:
        """A second row under a key is refused as `key`, and the first is as it was."""
        store = _ready(harness)
        claimed(store, row("k1"))
        _refused(harness, moved((row("k1", person="bo"), None)), "key")

    @law("S2b")
    def test_s2b_one_of_two(self, harness: StoreHarness) -> None:
        """Of two who claim a key at the same moment, one has it, and the other is refused."""
        store = _ready(harness)
        other = harness.another()
        for number in range(5):
            one = row(f"k{number}", person=PEOPLE[number % 3], course=("fire", "ice")[number // 3], credits=0)
            said = at_once([lambda: transact(store, moved((one, None))), lambda: transact(other, moved((one, None)))])
            assert sum(isinstance(answer, Done) for answer in said) == 1, said
            assert sum(seen.key == one.key for seen in harness.rows(ACME)) == 1

    @law("S3")
    def test_s3_one_open_row(self, harness: StoreHarness) -> None:
        """A second open row of a person on a course is refused as `open`, whatever the first one waits for."""
        store = _ready(harness)
        for number, status in enumerate((RowStatus.PENDING, RowStatus.HELD, RowStatus.BOOKED)):
            first = row(f"k{number}", person=PEOPLE[number], status=status)
            claimed(store, first)
            _refused(harness, moved((evolve(first, key="k9", status=RowStatus.PENDING, credits=0), None)), "open")

    @law("S3b")
    def test_s3b_also_within_one_transaction(self, harness: StoreHarness) -> None:
        """Two open rows of a person on a course are refused in one transaction, too."""
        _ready(harness)
        _refused(harness, moved((row("k1"), None), (row("k2"), None)), "open")

    @law("S3c")
    def test_s3c_what_has_ended_is_no_hindrance(self, harness: StoreHarness) -> None:
        """Ended rows, and those of others or on other courses, stand in nobody's way."""
        store, first = _ready(harness), row("k1")
        claimed(store, first)
        ended = evolve(first, status=RowStatus.REFUSED)
        done(transact(store, moved((ended, first), (row("k2"), None))))
        claimed(store, row("k3", person="bo", credits=0), row("k4", course="ice", credits=0))
        assert len(harness.rows(ACME)) == 4

    @law("S3d")
    def test_s3d_nothing_is_opened_again_beside_another(self, harness: StoreHarness) -> None:
        """An ended row cannot be opened again beside an open one."""
        store, first = _ready(harness), row("k1", status=RowStatus.REFUSED)
        claimed(store, first)
        claimed(store, row("k2"))
        _refused(harness, moved((evolve(first, status=RowStatus.BOOKED, credits=0), first)), "open")

    # S4: fences

    @law("S4")
    def test_s4_the_fence_decides(self, harness: StoreHarness) -> None:
        """A write that names another fence than the row has is refused as `fence`."""
        store, one = _ready(harness), row(fence=3)
        claimed(store, one)
        booked = evolve(one, status=RowStatus.BOOKED, fence=4)
        for fence in (2, 4):
            _refused(harness, moved((booked, evolve(one, fence=fence))), "fence")
        done(transact(store, moved((booked, one))))
        assert harness.rows(ACME) == (booked,)
        _refused(harness, moved((booked, one), entries=()), "fence")

    @law("S4b")
    def test_s4b_of_a_row_that_is_not_there(self, harness: StoreHarness) -> None:
        """A write to a row that is not there is refused as `fence`, and makes none."""
        _ready(harness)
        _refused(harness, moved((row(status=RowStatus.BOOKED), row())), "fence")

    @law("S4c")
    def test_s4c_letters_have_fences_too(self, harness: StoreHarness) -> None:
        """A letter's fence decides in the same way: taken twice, or written twice, it is refused as `fence`."""
        store, one = _ready(harness), row()
        first = letter(one)
        claimed(store, one, letters=[LetterWrite(letter=first, fence=None)])
        taken = evolve(first, fence=1, tries=1)
        _refused(harness, Writes(letters=(LetterWrite(letter=taken, fence=None),)), "fence")
        done(transact(store, Writes(letters=(LetterWrite(letter=taken, fence=0),))))
        _refused(harness, Writes(letters=(LetterWrite(letter=taken, fence=0),)), "fence")
        assert harness.letters(ACME) == (taken,)

    # S5: credits

    @law("S5")
    def test_s5_no_more_than_there_are(self, harness: StoreHarness) -> None:
        """A claim that exceeds the credits left is refused as `credits`; the last credit can be had."""
        store = _ready(harness)
        claimed(store, row("k1", credits=2))
        _refused(harness, moved((row("k2", person="bo", credits=2), None)), "credits")
        claimed(store, row("k2", person="bo", credits=1))
        _refused(harness, moved((row("k3", person="cy", credits=1), None)), "credits")
        assert desk_of(store, ()).reserved == 3

    @law("S5b")
    def test_s5b_what_is_spent_is_gone(self, harness: StoreHarness) -> None:
        """Spent credits are taken off the balance, and count no longer as reserved."""
        store, one = _ready(harness), row("k1", credits=2, status=RowStatus.BOOKED)
        claimed(store, one)
        done(transact(store, moved((evolve(one, status=RowStatus.IN_PROGRESS), one), spent=2)))
        assert harness.balance(ACME) == 1
        assert desk_of(store).reserved == 0
        assert desk_of(store).snapshot.account.credits == 1
        _refused(harness, moved((row("k2", person="bo", credits=2), None)), "credits")

    @law("S5c")
    def test_s5c_what_has_ended_is_given_back(self, harness: StoreHarness) -> None:
        """What was refused or cancelled reserves nothing any more."""
        store, one = _ready(harness), row("k1", credits=3)
        claimed(store, one)
        done(transact(store, moved((evolve(one, status=RowStatus.REFUSED), one))))
        assert desk_of(store).reserved == 0
        claimed(store, row("k2", person="bo", credits=3))

    @law("S5d")
    def test_s5d_what_reserves_nothing_is_never_refused_for_credits(self, harness: StoreHarness) -> None:
        """With the balance below what is reserved, all that reserves no more still goes."""
        store, one = _ready(harness), row("k1", credits=3)
        claimed(store, one)
        harness.put(evolve(REGISTER, account=evolve(REGISTER.account, credits=1)))
        claimed(store, row("k2", person="bo", credits=0))
        done(transact(store, moved((evolve(one, status=RowStatus.BOOKED), one))))

    @law("S5e")
    def test_s5e_unmetered(self, harness: StoreHarness) -> None:
        """Where credits are not metered, none are ever missing, and the balance stays unknown."""
        store = _ready(harness, evolve(REGISTER, account=evolve(REGISTER.account, credits=None)))
        claimed(store, row("k1", credits=10**6))
        done(transact(store, Writes(spent=5)))
        assert harness.balance(ACME) is None

    @law("S5f")
    def test_s5f_two_at_the_last_credit(self, harness: StoreHarness) -> None:
        """Two who claim the last credit at the same moment do not both get it."""
        store = _ready(harness, evolve(REGISTER, account=evolve(REGISTER.account, credits=1)))
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
        _ready(harness)
        _refused(harness, moved((row("k1", credits=3), None), spent=1), "credits")

    # S6: letters

    @law("S6")
    def test_s6_with_the_row(self, harness: StoreHarness) -> None:
        """A letter is written with its row, or neither is."""
        store, one = _ready(harness), row()
        claimed(store, one)
        booked = evolve(one, status=RowStatus.BOOKED)
        unsent = LetterWrite(letter=letter(one), fence=None)
        _refused(harness, moved((booked, evolve(one, fence=9)), letters=[unsent]), "fence")
        done(transact(store, moved((booked, one), letters=[unsent])))
        assert (harness.rows(ACME), harness.letters(ACME)) == ((booked,), (letter(one),))
        second = row("k2", person="bo")
        _refused(harness, moved((second, None), letters=[unsent]), "fence")

    @law("S6b")
    def test_s6b_letters_of_those_asked_for(self, harness: StoreHarness) -> None:
        """A transaction sees the letters of the people it asked for, sent ones too, and of nobody else."""
        store, ours, theirs = _ready(harness), row("k1"), row("k2", person="bo")
        mine = evolve(letter(ours, "a" * 32), status=LetterStatus.SENT)
        claimed(store, ours, theirs, letters=[LetterWrite(letter=mine, fence=None)])
        done(transact(store, Writes(letters=(LetterWrite(letter=letter(theirs, "b" * 32), fence=None),))))
        assert desk_of(store, ("ana",)).letters == (mine,)

    # S7: commits nobody confirmed

    @law("S7")
    def test_s7_a_lost_commit(self, harness: StoreHarness) -> None:
        """A commit that nobody confirmed is Unknown, and it was done whole or not at all."""
        store = _ready(harness)
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
        store = _ready(harness)
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
        store, ours, theirs = _ready(harness), row("k1"), row("k2", person="bo", credits=2)
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
        store, one = _ready(harness), row(status=RowStatus.HELD)
        claimed(store, one)
        seen = done(store.snapshot(ACME))
        assert seen.enrolments == (enrolment_of(one),)
        for table in ("courses", "roles", "personnel", "records", "assignments", "opt_outs"):
            assert set(getattr(seen, table)) == set(getattr(REGISTER, table))
        assert seen.account == REGISTER.account

    @law("S8d")
    def test_s8d_work_may_be_called_again(self, harness: StoreHarness) -> None:
        """However often its work is called, a transaction writes and answers what the last call said, once."""
        store, calls = _ready(harness), []

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
        store = _ready(harness, evolve(REGISTER, enrolments=(by_hand,)))
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
        store, made = _ready(harness, evolve(REGISTER, enrolments=(by_hand,))), row("k2", person="bo")
        [came] = desk_of(store, ("ana",)).rows
        cancelling = evolve(came, status=RowStatus.CANCELLING, fence=came.fence + 1)
        done(transact(store, moved((cancelling, came))))
        claimed(store, made)
        ended = evolve(enrolment_of(made), status=EnrolmentStatus.CANCELLED, ended_on=NIGHT)
        for newer in ((), (by_hand, ended)):
            harness.put(evolve(REGISTER, enrolments=newer))
            assert harness.rows(ACME) == (cancelling, made)
            assert desk_of(store).reserved == cancelling.credits + made.credits

    # S9: the store's clock

    @law("S9")
    def test_s9_one_clock(self, harness: StoreHarness) -> None:
        """`now` has an offset, is the same clock for every call, and never goes back."""
        store = _ready(harness)
        first, second, third = desk_of(store).now, backlog_of(store).now, desk_of(store).now
        assert first.utcoffset() is not None
        assert first <= second <= third
        harness.advance(timedelta(hours=1))
        assert desk_of(store).now >= first + timedelta(hours=1)
        assert backlog_of(store).now >= first + timedelta(hours=1)

    @law("S9b")
    def test_s9b_leases(self, harness: StoreHarness) -> None:
        """What is under a lease is nobody's to settle, until the lease is over; only what is in the middle is."""
        store = _ready(harness)
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
        store, one = _ready(harness), row(status=RowStatus.BOOKED)
        claimed(store, one)
        done(transact(store, moved((evolve(one, status=RowStatus.CANCELLING), one))))
        assert [seen.key for seen in backlog_of(store).rows] == ["k1"]

    @law("S9d")
    def test_s9d_what_may_come_back(self, harness: StoreHarness) -> None:
        """What was refused or cancelled, and may come back, is given where it is asked for, however long ago it was."""
        store = _ready(harness)
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
        store, one = _ready(harness), row()
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
        store = _ready(harness)
        assert (desk_of(store).run_by, desk_of(store).run_until) == (None, None)
        until = desk_of(store).now + timedelta(minutes=5)
        done(transact(store, Writes(run_by="us", run_until=until, night=NIGHT)))
        done(transact(store, Writes(night=NIGHT - timedelta(days=1))))
        assert (desk_of(store).run_by, desk_of(store).run_until) == ("us", until)
        assert backlog_of(store).last_night == NIGHT

    @law("S9g")
    def test_s9g_what_is_held(self, harness: StoreHarness) -> None:
        """What is held for a person is named every time, until the person has settled it."""
        store, one = _ready(harness), row("k1", status=RowStatus.HELD)
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
        store, one = _ready(harness), row()
        _refused(harness, moved((one, None), entries=()), "journal")
        claimed(store, one)
        _refused(harness, moved((evolve(one, status=RowStatus.BOOKED), one), entries=()), "journal")

    @law("S10b")
    def test_s10b_no_entry_without_a_move(self, harness: StoreHarness) -> None:
        """An entry whose row does not move, or moves otherwise, is refused as `journal`."""
        store, one = _ready(harness), row()
        claimed(store, one)
        booked = evolve(one, status=RowStatus.BOOKED)
        _refused(harness, Writes(entries=(entry(booked, RowStatus.PENDING),)), "journal")
        wrong = entry(evolve(one, status=RowStatus.REFUSED), RowStatus.PENDING)
        _refused(harness, moved((booked, one), entries=(wrong,)), "journal")
        _refused(harness, moved((booked, one), entries=(entry(booked, RowStatus.HELD),)), "journal")

    @law("S10c")
    def test_s10c_written_with_the_move(self, harness: StoreHarness) -> None:
        """Entries are written with their moves, as they were given, and stay for ever in that order."""
        store, one = _ready(harness), row()
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
        store, one = _ready(harness), row()
        claimed(store, one)
        cancelling = evolve(one, status=RowStatus.CANCELLING, fence=2)
        entries = (entry(evolve(one, status=RowStatus.BOOKED), RowStatus.PENDING), entry(cancelling, RowStatus.BOOKED))
        done(transact(store, moved((cancelling, one), entries=entries)))
        assert harness.journal(ACME) == (entry(one), *entries)
        assert harness.rows(ACME) == (cancelling,)

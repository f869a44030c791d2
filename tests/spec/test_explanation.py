"""Why, or why not: every rule in words, for every pair."""

from datetime import date, timedelta

import pytest
from attrs import evolve
from hypothesis import given

from documents import near_ready
from enrolpolicy import (
    GATES,
    TRIGGERS,
    Assignment,
    Delivery,
    EnrolmentStatus,
    HeldRole,
    Level,
    OptOut,
    Role,
    RoleCourse,
    Snapshot,
    Status,
    UnknownId,
    Validity,
    explain,
    explain_all,
    load,
    plan,
)
from test_gates import ON, SNAPSHOT, account, course, enrolled, enrolment, person

Drawn = tuple[str, date]
ROWS = {row.id: row for row in (*TRIGGERS, *GATES)}


def sentence(snapshot: Snapshot, row: str) -> str:
    rows = {answer.id: answer.sentence for answer in explain(snapshot, person="ana", course="fire", on=ON).rows}
    return rows[row]


class TestEveryRowIsTold:
    """An explanation holds every trigger and every gate once, in the order of the tables, each with a sentence."""

    @given(near_ready(most_flips=6))
    def test_in_table_order(self, drawn: Drawn) -> None:
        for found in explain_all(load(drawn[0]), on=drawn[1]):
            assert [row.id for row in found.rows] == list(ROWS)
            fired = tuple(row.id for row in found.rows[: len(TRIGGERS)] if row.holds)
            assert fired == (() if found.trigger is None else (found.trigger,))
            assert tuple(row.id for row in found.rows[len(TRIGGERS) :] if not row.holds) == found.shut

    @given(near_ready(most_flips=6))
    def test_in_finished_words(self, drawn: Drawn) -> None:
        """No placeholder is left open or filled with nothing, and no sentence says None."""
        for found in explain_all(load(drawn[0]), on=drawn[1]):
            for row in found.rows:
                for wrong in ("{", "}", "None", "()", "( ", "  ", " ;", "True", "False", "Status.", "Level."):
                    assert wrong not in row.sentence, row

    @given(near_ready(most_flips=6))
    def test_words_are_the_table_s(self, drawn: Drawn) -> None:
        """What stands around the placeholders is the row's own sentence: for what it found, and no other."""
        for found in explain_all(load(drawn[0]), on=drawn[1]):
            for row in found.rows:
                words = ROWS[row.id].yes if row.holds else ROWS[row.id].no
                assert row.sentence.startswith(words.partition("{")[0])
                assert row.sentence.endswith(words.rpartition("}")[2])


class TestTheReasonShownFirst:
    """What an enrolment waits for; else the first shut gate; else the trigger; else that none fires."""

    @given(near_ready(most_flips=6))
    def test_is_one_of_the_rows(self, drawn: Drawn) -> None:
        for found in explain_all(load(drawn[0]), on=drawn[1]):
            if found.outcome == "deferred":
                assert found.deferred is not None
                assert found.reason == found.deferred.because
            elif found.outcome == "enrol":
                assert found.reason == found.trigger
                assert found.sentence == found.rows[[row.id for row in TRIGGERS].index(found.reason)].sentence
            elif found.shut:
                assert found.reason == found.shut[0]
                assert found.sentence == next(row.sentence for row in found.rows if row.id == found.reason)
            else:
                assert found.reason == "no-trigger"
                assert not any(row.holds for row in found.rows[: len(TRIGGERS)])
                assert found.sentence in [row.sentence for row in found.rows[: len(TRIGGERS)]]

    def test_no_trigger_says_which_window(self) -> None:
        found = explain(SNAPSHOT, person="ana", course="fire", on=ON - timedelta(40))
        assert found.sentence.startswith("the training is not inside its renewal window (expires on ")

    def test_no_trigger_says_how_long_ago(self) -> None:
        found = explain(SNAPSHOT, person="ana", course="fire", on=ON + timedelta(150))
        assert found.sentence.startswith("the training did not expire in the 90 days looked back (expired on ")

    def test_what_it_waits_for(self) -> None:
        found = explain(account(credits=0), person="ana", course="fire", on=ON)
        assert (found.outcome, found.reason) == ("deferred", "credits")
        assert found.sentence == "waits for credits: 1 more would be enough"


class TestTheSameAsThePlan:
    """Whoever asks why is told what the plan does, and every pair that the plan counts has an explanation."""

    @given(near_ready(most_flips=6))
    def test_outcomes(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        tonight = plan(snapshot, on=on)
        found = {(row.person, row.course): row for row in explain_all(snapshot, on=on)}
        outcomes = {pair: row.outcome for pair, row in found.items()}
        enrols = {(row.person, row.course) for row in tonight.enrolments}
        waits = {(row.person, row.course) for row in tonight.deferred}
        assert {pair for pair, outcome in outcomes.items() if outcome == "enrol"} == enrols
        assert {pair for pair, outcome in outcomes.items() if outcome == "deferred"} == waits
        reasons = [row.reason for row in found.values() if row.outcome == "not-enrolled"]
        assert dict(tonight.counts.not_enrolled) == {reason: reasons.count(reason) for reason in reasons}

    def test_who_is_only_booked_is_counted(self) -> None:
        """Nobody asks for the training and it was never recorded, but there is an enrolment: the pair has an answer."""
        alone = enrolled(enrolment(EnrolmentStatus.IN_PROGRESS), into=evolve(SNAPSHOT, roles=(), records=()))
        assert [row.reason for row in explain_all(alone, on=ON)] == ["assigned"]
        assert plan(alone, on=ON).counts.not_enrolled == (("assigned", 1),)

    @given(near_ready(most_flips=6))
    def test_one_by_one_or_all_at_once(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        for row in explain_all(snapshot, on=on):
            assert explain(snapshot, person=row.person, course=row.course, on=on) == row


class TestNobodyThereToExplain:
    """An id that the snapshot does not have is a misuse: it raises, and says what was asked for."""

    @pytest.mark.parametrize(
        ("who", "what", "named"),
        [("anna", "fire", "person `anna`"), ("ana", "fyre", "course `fyre`"), ("", "fire", "person ``")],
    )
    def test_is_said(self, who: str, what: str, named: str) -> None:
        with pytest.raises(UnknownId) as caught:
            explain(SNAPSHOT, person=who, course=what, on=ON)
        assert str(caught.value) == f"there is no {named} in the snapshot; check the id's spelling"
        assert (caught.value.kind, caught.value.id) == (named.split(maxsplit=1)[0], who if who != "ana" else what)

    def test_a_pair_that_has_nothing_to_do_with_each_other_has_an_answer(self) -> None:
        alone = evolve(SNAPSHOT, roles=(), personnel=(evolve(SNAPSHOT.personnel[0], roles=()),), records=())
        found = explain(alone, person="ana", course="fire", on=ON)
        assert found.shut[0] == "assigned"
        assert list(explain_all(alone, on=ON)) == []


class TestInWords:
    """What a sentence names is what there is: dates, days and who set them, roles, bookings, refusals."""

    def test_the_lead(self) -> None:
        assert "(30 days ahead, the default)" in explain(SNAPSHOT, person="ana", course="fire", on=ON).sentence

    def test_days_that_are_ignored(self) -> None:
        words = sentence(account(lead_days=60), "expiring")
        assert "30 days ahead, the default; custom days are stored, and ignored while custom expiry is off" in words

    def test_days_of_the_account(self) -> None:
        assert "(60 days ahead, set for the account)" in sentence(account(lead_days=60, custom_expiry=True), "expiring")

    def test_days_of_the_course(self) -> None:
        both = evolve(account(lead_days=60, custom_expiry=True), courses=course(lead_days=45).courses)
        assert "(45 days ahead, set for the course)" in sentence(both, "expiring")

    def test_days_held_to_half(self) -> None:
        [record] = SNAPSHOT.records
        assert record.expires_on is not None
        short = evolve(record, completed_on=record.expires_on - timedelta(50))
        words = sentence(evolve(SNAPSHOT, records=(short,)), "expiring")
        assert "25 days ahead, half of what it is valid for; 30 are the default" in words

    def test_who_asks(self) -> None:
        roles = (
            *SNAPSHOT.roles,
            Role(id="cook", requirements=(RoleCourse(course="fire", level=Level.OPTIONAL),)),
        )
        people = (evolve(SNAPSHOT.personnel[0], roles=(*SNAPSHOT.personnel[0].roles, HeldRole(role="cook"))),)
        own = Assignment(person="ana", course="fire", level=Level.OPTIONAL)
        words = sentence(evolve(SNAPSHOT, roles=roles, personnel=people, assignments=(own,)), "assigned")
        for part in ("required by role `warden`", "optional by role `cook`", "optional by an assignment of their own"):
            assert part in words

    def test_both_ways_of_opting_out(self) -> None:
        out = evolve(person(auto_enrol=False), opt_outs=(OptOut(person="ana", course="fire"),))
        assert "(the toggle on the profile and an opt-out from this course)" in sentence(out, "person-enabled")

    def test_the_booking_in_the_way(self) -> None:
        words = sentence(enrolled(enrolment(EnrolmentStatus.IN_PROGRESS, id="e7")), "not-enrolled")
        assert words == "the person is enrolled already (auto, in-progress, `e7`)"

    def test_refusals(self) -> None:
        first = enrolment(id="e1", status=EnrolmentStatus.REFUSED, ended_on=ON - timedelta(9))
        last = evolve(first, id="e2", ended_on=ON - timedelta(1), ended_because="no licence left")
        words = sentence(evolve(SNAPSHOT, enrolments=(first, last)), "not-refused")
        assert words.startswith("the LMS refused this enrolment (2 times, saying: no licence left)")
        assert words.endswith(f"it is tried again on {ON + timedelta(1)}")
        words = sentence(evolve(SNAPSHOT, enrolments=(evolve(first, ended_on=ON),)), "not-refused")
        assert words.startswith("the LMS refused this enrolment (once); it is tried again on")

    def test_what_was_never_recorded(self) -> None:
        missing = evolve(SNAPSHOT, records=())
        off = "the training was never recorded, and the account does not enrol missing training"
        assert sentence(missing, "missing-enabled") == off
        late = evolve(missing, account=evolve(SNAPSHOT.account, auto_enrol_missing=True, missing_since=ON))
        assert sentence(late, "missing-enabled").endswith(f"it was not asked of the person on or after {ON}")
        assert sentence(SNAPSHOT, "missing-enabled") == "the training was recorded before"

    def test_what_never_expires(self) -> None:
        [record] = SNAPSHOT.records
        lasting = evolve(SNAPSHOT, records=(evolve(record, expires_on=None, never_expires=True),))
        found = explain(lasting, person="ana", course="fire", on=ON)
        assert (found.status, found.next_check_on) == (Status.CURRENT, None)
        assert f"(completed on {record.completed_on}, never expires; 30 days ahead" in found.sentence

    def test_what_is_no_elearning(self) -> None:
        words = sentence(course(delivery=Delivery.CLASSROOM, validity=Validity(months=12)), "course-elearning")
        assert words == "the course is not eLearning (classroom), so there is nothing to book"

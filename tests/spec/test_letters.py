"""The invitation as a mail: what it says, that nobody else can write into it, and that it is the same each time."""

import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from html import escape
from html.parser import HTMLParser
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy.addresses import mailbox, named, one_line
from enrolpolicy.errors import InvalidValue
from enrolpolicy.letters import PLACEHOLDERS, Sender, composer
from enrolpolicy.ports import Invitation, Refused
from enrolpolicy.wording import Words

SENDER = Sender(
    address="training@acme.example",
    name="Acme Training",
    contact="Priya Shah, priya@acme.example",
    reply_to="priya@acme.example",
    take_url="https://training.acme.example/take/{key}",
)
INVITATION = Invitation(
    message_id="0123456789abcdef" * 2,
    account="acme",
    key="ep1-4c7aeae5eb828b9ce7f02e4be4d04266553acc81",
    person="ana",
    name="Ana Li",
    recipient="ana@acme.example",
    course="fire",
    course_name="Fire safety",
    because="expiring",
    expires_on=date(2026, 12, 20),
    asked_by=("Fire warden", "First aider"),
    at=datetime(2026, 11, 23, 0, 0, 5, tzinfo=timezone(timedelta(hours=1))),
)
LINK = "https://training.acme.example/take/ep1-4c7aeae5eb828b9ce7f02e4be4d04266553acc81"
HEADERS = [
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress",
    "Content-Language", "MIME-Version", "Content-Type",
]  # fmt: skip

# Names as somebody who means harm would write them, and as people have them.
nasty = st.sampled_from(
    ["\r\n", "\n", "\r", "\x00", "\x1b[2J", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\u202e", "\u2066",
     "\ufeff",
     "\u200d", "\ud800", "Bcc: v@c.com", ", <v@c.com>", ">", "<", '"', "\\", "=?utf-8?q?x?=", "=?", "?=", "--=_",
     "&amp;",
     "<script>", "</p><a href=https://evil.example>", "https://evil.example", "WWW.evil.example", "{key}", "$link",
     "${due}",
     "%s", "é", "日本語", "👩‍🚒", "עברית", " ", "  ", "\t", "\u00a0", "a", "Li", "O'Brien", "(x)", ";", ":", "@"]
)  # fmt: skip
names = st.lists(nasty | st.text(max_size=4), max_size=8).map("".join) | st.text(max_size=400)
invitations = st.builds(
    Invitation,
    message_id=st.text("0123456789abcdef", min_size=32, max_size=32),
    account=names,
    key=names,
    person=names,
    name=names,
    recipient=st.sampled_from(
        ["ana@acme.example", "o'brien+x@a-b.example", "jörg@müller.example", "x" * 64 + "@acme.example"]
    ),
    course=names,
    course_name=names,
    because=st.sampled_from(["expiring", "expired", "missing", "else"]),
    expires_on=st.none() | st.dates(),
    asked_by=st.lists(names, max_size=8).map(tuple),
    at=st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-11)), timezone(timedelta(hours=5, minutes=45))])
    ),
)


def letter(invitation: Invitation, sender: Sender = SENDER) -> bytes:
    written = composer(sender)(invitation)
    assert isinstance(written, bytes)
    return written


@attrs.frozen
class Read:
    """A mail as the standard library reads it, which has no part in writing it."""

    headers: list[tuple[str, str]]
    """As they stand, unfolded."""
    plain: str
    html: str

    def __getitem__(self, name: str) -> str:
        [value] = [value for key, value in self.headers if key == name]
        return str(make_header(decode_header(value)))

    def names(self) -> list[str]:
        return [name for name, _ in self.headers]

    def people(self, name: str) -> list[tuple[str, str]]:
        [value] = [value for key, value in self.headers if key == name]
        return [(str(make_header(decode_header(name))), address) for name, address in getaddresses([value])]


def read(content: bytes) -> Read:
    message = message_from_bytes(content)
    assert message.get_content_type() == "multipart/alternative"
    assert not any(one.defects for one in message.walk())
    _, plain, html = message.walk()
    assert [plain.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    assert [one["Content-Transfer-Encoding"] for one in (plain, html)] == ["quoted-printable"] * 2
    head = content.partition(b"\r\n\r\n")[0].decode()
    assert all(line.isprintable() for line in head.split("\r\n"))
    unfolded = head.replace("\r\n ", " ").split("\r\n")
    return Read(
        headers=[(name, value) for name, _, value in (line.partition(": ") for line in unfolded)],
        plain=body(plain),
        html=body(html),
    )


def body(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().replace("\r\n", "\n")


class Page(HTMLParser):
    """The tags of a page, its links, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: Counter[tuple[str, ...]] = Counter()
        self.links: list[str | None] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes[tag, *(name for name, _ in attrs)] += 1
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


class TestWhatItSays:
    """Who, which course, why, by when, one button and the same address in clear, whom to ask; a machine wrote it."""

    def test_its_headers(self) -> None:
        message = read(letter(INVITATION))
        assert message.names() == HEADERS
        assert message.people("From") == [("Acme Training", "training@acme.example")]
        assert message.people("To") == [("Ana Li", "ana@acme.example")]
        assert message.people("Reply-To") == [("", "priya@acme.example")]
        assert message["Subject"] == "Fire safety: your training expires on 20 December 2026"
        assert message["Date"] == "Mon, 23 Nov 2026 00:00:05 +0100"
        assert parsedate_to_datetime(message["Date"]) == INVITATION.at
        assert message["Message-ID"] == "<0123456789abcdef0123456789abcdef@acme.example>"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["X-Auto-Response-Suppress"] == "All"
        assert message["Content-Language"] == "en"

    def test_its_text(self) -> None:
        assert read(letter(INVITATION)).plain == (
            "Hello Ana Li,\n\nYou are enrolled on Fire safety.\n"
            "Your training is valid until Sunday 20 December 2026. Please finish the course by then.\n"
            "It is part of your roles: Fire warden and First aider.\n\n"
            f"Start the course:\n{LINK}\n\n"
            "If you have questions, ask Priya Shah, priya@acme.example.\n\n"
            "-- \nThis message was sent automatically, because you are enrolled on this course.\n"
        )

    def test_its_page_says_the_same(self) -> None:
        message = read(letter(INVITATION))
        page = Page(message.html)
        assert page.links == [LINK, LINK]
        plain = message.plain.replace("-- \n", "").replace("Start the course:", "Start the course")
        for line in filter(None, plain.splitlines()):
            assert line in page.text
        assert '<html lang="en">' in message.html

    @pytest.mark.parametrize(
        ("because", "expires_on", "subject", "words"),
        [
            ("expiring", date(2026, 12, 1), "Fire safety: your training expires on 1 December 2026",
             "until Tuesday 1 December 2026"),
            ("expired", date(2026, 11, 22), "Fire safety: your training expired on 22 November 2026",
             "was valid until Sunday 22"),
            ("expiring", date(2026, 11, 22), "Fire safety: your training expires on 22 November 2026",
             "is valid until Sunday 22"),
            ("expiring", date(2026, 11, 21), "Fire safety: your training expired on 21 November 2026",
             "was valid until Saturday"),
            ("missing", None, "Fire safety: please take this training", "no record yet"),
            ("expiring", None, "Fire safety: you are enrolled", "Please take it soon"),
            ("something new", None, "Fire safety: you are enrolled", "Please take it soon"),
        ],
    )  # fmt: skip
    def test_why_and_by_when(self, because: str, expires_on: date | None, subject: str, words: str) -> None:
        message = read(letter(attrs.evolve(INVITATION, because=because, expires_on=expires_on)))
        assert message["Subject"] == subject
        assert words in message.plain

    @pytest.mark.parametrize(
        ("roles", "words"),
        [
            ((), None),
            (("Warden",), "It is part of your role: Warden.\n"),
            (("A", "B", "C"), "It is part of your roles: A, B and C.\n"),
            (("A", "", "C"), "It is part of your roles: A and C.\n"),
            (tuple("ABCDEFG"), "It is part of your roles: A, B, C, D, E and 2 more.\n"),
        ],
    )
    def test_who_asks_for_it(self, roles: tuple[str, ...], words: str | None) -> None:
        text = read(letter(attrs.evolve(INVITATION, asked_by=roles))).plain
        assert ("It is part" in text) == bool(words)
        assert (words or "") in text

    def test_without_names(self) -> None:
        message = read(letter(attrs.evolve(INVITATION, name="", course_name="")))
        assert message.people("To") == [("", "ana@acme.example")]
        assert message["Subject"] == "fire: your training expires on 20 December 2026"
        assert message.plain.startswith("Hello,\n\nYou are enrolled on fire.\n")


class TestNobodyElseWritesIntoIt:
    """Whatever a name holds, a letter is one mail to one mailbox, with the same headers, parts and tags, and no address
    but the sender's to click on."""

    @given(invitations)
    def test_one_mail(self, invitation: Invitation) -> None:
        message = read(letter(invitation))
        recipient, course = (
            str(mailbox(invitation.recipient)),
            named(invitation.course_name) or named(invitation.course),
        )
        assert message.names() == HEADERS
        assert message.people("From") == [("Acme Training", "training@acme.example")]
        assert message.people("To") == [(one_line(invitation.name), recipient)]
        assert message.people("Reply-To") == [("", "priya@acme.example")]
        assert message["Subject"].startswith(one_line(f"{named(course, 90)}: "))
        assert f"You are enrolled on {course}." in message.plain.split("\n")
        self.page(invitation, Page(message.html))
        link = SENDER.link(invitation)
        for text, shown in ((message.plain, link), (message.html, escape(link))):
            assert set(re.findall(r"(?i)https?://[^\s\"<]*|www\.[a-z]", text)) == {shown}
        assert "://" not in message["Subject"]

    def page(self, invitation: Invitation, page: Page) -> None:
        asked = any(map(named, invitation.asked_by))
        usual = Page(read(letter(attrs.evolve(INVITATION, asked_by=("x",) if asked else ()))).html)
        assert page.tags == usual.tags
        assert page.attributes == usual.attributes
        assert page.links == [SENDER.link(invitation)] * 2

    @pytest.mark.parametrize("text", ["=?utf-8?q?x?=", "=?utf-8?b?eA==?= y", "?=", "é =?utf-8?q?x?="])
    def test_what_looks_encoded_is_shown_as_it_is(self, text: str) -> None:
        message = read(letter(attrs.evolve(INVITATION, name=text, course_name=text)))
        assert message.people("To") == [(text, "ana@acme.example")]
        assert message["Subject"] == f"{text}: your training expires on 20 December 2026"

    @given(st.lists(nasty | st.text(max_size=5), max_size=10).map("".join))
    def test_one_line_is_one_line(self, text: str) -> None:
        line = one_line(text)
        assert line.splitlines() in ([], [line])
        assert line == line.strip()
        assert not any(
            char < " " or "\x7f" <= char <= "\x9f" or char in "\u202e\u2066\u2028\u2029\ufeff" for char in line
        )
        assert line.encode().decode() == line
        assert one_line(line) == line
        assert len(line) <= 150

    def test_what_joins_characters_stays(self) -> None:
        assert one_line("می\u200cخواهم 👩\u200d🚒") == "می\u200cخواهم 👩\u200d🚒"


class TestTheSameBytes:
    """The same invitation is the same bytes, in any process; lines end in CRLF and are short enough for any server."""

    @given(invitations)
    def test_twice(self, invitation: Invitation) -> None:
        content = letter(invitation)
        assert content == letter(attrs.evolve(invitation))
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
        assert content.endswith(b"\r\n")
        assert max(map(len, content.split(b"\r\n"))) <= 340
        assert mailbox(invitation.recipient) is not None
        assert content.isascii() == invitation.recipient.split("@")[0].isascii()

    @pytest.mark.parametrize("seed", ["1", "2"])
    def test_in_another_process_and_place(self, seed: str) -> None:
        code = "import sys; sys.path[:0] = sys.argv[1:]; from test_letters import *; "
        code += "sys.stdout.buffer.write(letter(INVITATION))"
        paths = [path for path in sys.path if path]
        elsewhere = {"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "LC_ALL": "C"}
        done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, check=True, env=elsewhere)
        assert done.stdout == letter(INVITATION)

    def test_another_enrolment_is_another_mail(self) -> None:
        other = letter(attrs.evolve(INVITATION, message_id="f" * 32))
        boundaries = {read(content)["Content-Type"] for content in (letter(INVITATION), other)}
        assert len(boundaries) == 2


class TestRefusals:
    """What cannot be written is refused by a value, and stops nobody else's letter."""

    @pytest.mark.parametrize(
        "recipient",
        [
            "", "a", "a@", "@b.example", "a@b", "a b@x.example", "a@b.com, victim@c.com", "a@b.com>,<v@c.com",
            "group: a,b;",
            "Ana <ana@acme.example>", "<ana@acme.example>", '"a b"@x.example', "a@[127.0.0.1]", "a@1.2.3.4",
            "-a@x.example",
            "a@-x.example", "a@x-.example", "a@x..example", ".a@x.example", "a.@x.example", "a..b@x.example",
            "a@x.example.",
            "a@b@c.example", "a@x.example\n", "a@x.example\r\nBcc: v@c.com", "a\x00@x.example", "a(b)@x.example",
            "x" * 65 + "@x.example", "é" * 33 + "@x.example", "a@" + "x" * 64 + ".example",
            "a@" + ".".join(["x" * 60] * 5), "a@straße.example",
            "a@ｅxample.com", "a@x。example", "a@ex\u200cample.com",
            "a\u202e@x.example", "a\u00a0b@x.example", "a\ud800@x.example", "a@\ud800.example", "a@x_y.example",
        ],
    )  # fmt: skip
    def test_what_is_not_one_address(self, recipient: str) -> None:
        assert mailbox(recipient) is None
        assert composer(SENDER)(attrs.evolve(INVITATION, recipient=recipient)) == Refused("bad-address")

    @pytest.mark.parametrize(
        ("address", "wire"),
        [
            ("ana@acme.example", "ana@acme.example"),
            ("o'brien+tag@sub.acme.example", "o'brien+tag@sub.acme.example"),
            ("a@xn--mller-kva.example", "a@xn--mller-kva.example"),
            ("a@müller.example", "a@xn--mller-kva.example"),
            ("a@MÜLLER.example", "a@xn--mller-kva.example"),
            ("jörg@acme.example", "jörg@acme.example"),
            ("x" * 64 + "@acme.example", "x" * 64 + "@acme.example"),
            ("用户@例子.example", "用户@xn--fsqu00a.example"),
        ],
    )
    def test_what_is(self, address: str, wire: str) -> None:
        assert str(mailbox(address)) == wire
        assert address not in repr(mailbox(address))

    @given(st.text(max_size=40) | st.builds("{}@{}".format, names, names))
    def test_never_an_exception(self, recipient: str) -> None:
        found = mailbox(recipient)
        answer = composer(SENDER)(attrs.evolve(INVITATION, recipient=recipient))
        if found is None:
            assert answer == Refused("bad-address")
        else:
            assert isinstance(answer, bytes)
            assert read(answer).people("To") == [("Ana Li", str(found))]

    @pytest.mark.parametrize("id", ["", "a\r\nBcc: x", "<a>", "a@b", "é", "x" * 129])
    def test_a_message_id_that_is_none(self, id: str) -> None:
        assert composer(SENDER)(attrs.evolve(INVITATION, message_id=id)) == Refused("bad-message-id")

    def test_an_instant_without_offset_is_misuse(self) -> None:
        with pytest.raises(InvalidValue, match="offset"):
            composer(SENDER)(attrs.evolve(INVITATION, at=datetime(2026, 1, 1)))


class TestTheSender:
    """What could not be sent, or would send people elsewhere, is refused when the sender is made."""

    @pytest.mark.parametrize(
        "url",
        [
            "", "training.example/{key}", "http://training.example/{key}", "https:///{key}",
            "https://{account}.example/x",
            "https://user@training.example/{key}", "https://training.example", "https://training.example/{",
            "https://training.example/}", "https://training.example/{}", "https://training.example/{name}",
            "https://training.example/{key.__class__}", "https://training.example/{key!r:>999999}",
            "https://training.example/{{key}}",
            "https://training.example/a b", 'https://training.example/"', "https://training.example/<",
            "https://training.example/é",
            "https://training.example/\r\n", "https://training..example/", "https://-x/", "javascript:alert(1)",
            "https://training.example/" + "x" * 1000, "HTTPS://training.example/x", "https://training.example:123456/",
        ],
    )  # fmt: skip
    def test_an_address_for_the_button(self, url: str) -> None:
        with pytest.raises(InvalidValue, match="take_url"):
            attrs.evolve(SENDER, take_url=url)

    @given(st.sampled_from(PLACEHOLDERS), names)
    def test_what_is_filled_in_stays_in_its_place(self, name: str, value: str) -> None:
        sender = attrs.evolve(SENDER, take_url=f"https://training.example:8443/a/{{{name}}}/b?c={{{name}}}#d")
        changes: dict[str, Any] = {name: value}
        link = sender.link(attrs.evolve(INVITATION, **changes))
        assert re.fullmatch(r"https://training\.example:8443/a/[A-Za-z0-9._~%-]*/b\?c=[A-Za-z0-9._~%-]*#d", link)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("address", "x"), ("address", "jörg@x.example"), ("address", None), ("reply_to", "a@b, c@d"),
            ("reply_to", "a@b.c\r\nX: y"),
            ("domain", "a b"), ("domain", "acme"), ("domain", "a.example>\r\nX: y"), ("contact", ""),
            ("contact", " \n "), ("contact", 7),
            ("headers", (("Subject", "x"),)), ("headers", (("CONTENT-TYPE", "x"),)),
            ("headers", (("X-A", "x\r\nBcc: y"),)),
            ("headers", (("X A", "x"),)), ("headers", (("X-A: b\r\nBcc", "x"),)), ("headers", (("bcc", "x"),)),
            ("headers", [("X", "y")]),
        ],
    )  # fmt: skip
    def test_other_fields(self, field: str, value: Any) -> None:
        with pytest.raises(InvalidValue, match=f"Sender.{field}"):
            attrs.evolve(SENDER, **{field: value})

    def test_what_may_be_added(self) -> None:
        sender = attrs.evolve(
            SENDER, headers=(("X-Tenant", "acme"), ("Feedback-ID", "é")), domain="mail.acme.example", reply_to=None
        )
        message = read(letter(INVITATION, sender))
        assert [name for name in message.names() if name not in HEADERS] == ["X-Tenant", "Feedback-ID"]
        assert message["Feedback-ID"] == "é"
        assert message["Message-ID"] == "<0123456789abcdef0123456789abcdef@mail.acme.example>"
        assert "Reply-To" not in message.names()


class TestWordsOfTheHost:
    """A host may write the words; the envelope stays as safe."""

    @given(names, names, names)
    def test_whatever_it_writes(self, subject: str, text: str, html: str) -> None:
        def write(invitation: Invitation, link: str) -> Words:
            assert link == LINK
            return Words(subject=subject, text=text, html=html, language="cy")

        content = composer(SENDER, write)(INVITATION)
        assert isinstance(content, bytes)
        message = read(content)
        assert message.names() == HEADERS
        assert message["Subject"] == one_line(subject)
        assert message["Content-Language"] == "cy"

        for said, arrived in ((text, message.plain), (html, message.html)):
            assert arrived.split("\n")[:-1] == said.encode(errors="replace").decode().splitlines()

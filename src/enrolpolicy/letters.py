"""An invitation as a mail: the envelope is ours and safe, the words may be the host's.

`composer(sender)` is what a runner is given. It is pure: the same invitation gives the same bytes, with the date of the
invitation and never the clock's. Whatever a name holds, it writes one mail to one mailbox with the same headers; an
address that is not exactly one mailbox is refused.
"""

import hashlib
import re
from functools import partial
from typing import final
from urllib.parse import quote

from attrs import frozen

from enrolpolicy.addresses import Mailbox, mailbox, one_line
from enrolpolicy.constraints import checked, shown
from enrolpolicy.errors import InvalidValue
from enrolpolicy.mime import Header, alternative, date_header, phrase, words
from enrolpolicy.ports import Composer, Invitation, Refused
from enrolpolicy.wording import Words, Writer, english

BAD_ADDRESS, BAD_MESSAGE_ID = "bad-address", "bad-message-id"

PLACEHOLDERS = ("account", "course", "key", "person")
"""What the address of the button may hold in braces: fields of the invitation."""

_PIECE = re.compile(r"\{([^{}]*)\}|([^{}]+)|([{}])")
_HOST = r"https://[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*(?::[0-9]{1,5})?/"
_URL = re.compile(_HOST + r"[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]*")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{1,128}")
_OURS = re.compile(
    r"(?i:from|to|b?cc|sender|reply-to|subject|date|message-id|return-path|auto-submitted|x-auto-response-suppress"
    r"|mime-version|content-.*|resent-.*)"
)


@final
@frozen(kw_only=True, field_transformer=checked)
class Sender:
    """Who writes, and where the button leads.

    `address` and `name` are the mail's From. `contact` is whom to ask, in words ("Priya Shah, priya@acme.example").
    `take_url` is a page of the host, `https://training.example/take/{key}`, which asks the person to log in and then
    sends them on to a launch address made at that moment; see `PLACEHOLDERS`. `domain` is the right half of each
    Message-ID, the address's unless given. `headers` are added to every mail as they are.

    Raises `InvalidValue` for what could not be sent.
    """

    address: str
    contact: str
    take_url: str
    name: str = ""
    reply_to: str | None = None
    domain: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def __attrs_post_init__(self) -> None:
        one = "must be one mail address without accents, such as `training@acme.example`"
        _refuse_unless(_plain_mailbox(self.address), "address", one)
        _refuse_unless(self.reply_to is None or _plain_mailbox(self.reply_to), "reply_to", one)
        contact = one_line(self.contact)
        _refuse_unless(contact != "", "contact", "must say whom to ask, such as `Priya Shah, priya@acme.example`")
        domain = self.domain is None or _plain_mailbox(f"x@{self.domain}")
        _refuse_unless(domain, "domain", "must be a domain with a dot, such as `acme.example`")
        _refuse_unless_url(self.take_url)
        for name, value in self.headers:
            free = _HEADER_NAME.fullmatch(name) and not _OURS.fullmatch(name) and value == one_line(value, 900)
            _refuse_unless(
                bool(free), "headers", f"cannot set {shown(name)}; name one that is not set here, on one line"
            )

    def link(self, invitation: Invitation) -> str:
        """The address of the button; what is filled in is percent-encoded."""
        return "".join(
            quote(str(getattr(invitation, name)), safe="", errors="replace") if name else literal
            for name, literal, _ in _PIECE.findall(self.take_url)
        )


def _refuse_unless(holds: bool, field: str, problem: str) -> None:
    if not holds:
        raise InvalidValue(f"Sender.{field}", problem)


def _plain_mailbox(address: str) -> bool:
    return address.isascii() and mailbox(address) is not None


def _refuse_unless_url(template: str) -> None:
    pieces = _PIECE.findall(template)
    known = all(literal or name in PLACEHOLDERS for name, literal, _ in pieces)
    names = ", ".join(f"`{{{name}}}`" for name in PLACEHOLDERS)
    _refuse_unless(known, "take_url", f"may hold {names}, and no other braces")
    filled = "".join(literal or "x" for _, literal, _ in pieces)
    fits = _URL.fullmatch(filled) and re.match(_HOST, template) and len(template) <= 1000
    example = "`https://training.example/take/{key}`"
    _refuse_unless(bool(fits), "take_url", f"must be an https address with its braces behind the host, like {example}")


# The envelope


def composer(sender: Sender, write: Writer | None = None) -> Composer:
    """What a runner is given: writes invitations in English from this sender, or in the words of `write`."""
    return partial(compose, sender=sender, write=write or partial(english, sender=sender.name, contact=sender.contact))


def compose(invitation: Invitation, *, sender: Sender, write: Writer) -> bytes | Refused:
    """One invitation as a mail; refused for good where its recipient is not exactly one mailbox.

    Raises `InvalidValue` where its instant has no offset.
    """
    recipient = mailbox(invitation.recipient)
    if recipient is None:
        return Refused(BAD_ADDRESS)
    if not _MESSAGE_ID.fullmatch(invitation.message_id):
        return Refused(BAD_MESSAGE_ID)
    if invitation.at.utcoffset() is None:
        raise InvalidValue("Invitation.at", "must be an instant with a UTC offset")
    said = write(invitation, sender.link(invitation))
    headers = _headers(invitation, sender, recipient, said)
    boundary = hashlib.sha256(invitation.message_id.encode()).hexdigest()[:32]
    return alternative(headers, said.text, said.html, boundary)


def _headers(invitation: Invitation, sender: Sender, recipient: Mailbox, said: Words) -> list[Header]:
    """Who writes to whom about what, when; and that no machine should answer (RFC 3834)."""
    own = mailbox(sender.address)
    assert own is not None
    reply_to = [("Reply-To", [f"<{mailbox(sender.reply_to)}>"])] if sender.reply_to else []
    return [
        ("From", _address(sender.name, own)),
        ("To", _address(invitation.name, recipient)),
        *reply_to,
        ("Subject", words(one_line(said.subject))),
        ("Date", [date_header(invitation.at)]),
        ("Message-ID", [f"<{invitation.message_id}@{sender.domain or own.domain}>"]),
        ("Auto-Submitted", ["auto-generated"]),
        ("X-Auto-Response-Suppress", ["All"]),
        ("Content-Language", words(one_line(said.language))),
        *((name, words(value)) for name, value in sender.headers),
    ]


def _address(name: str, address: Mailbox) -> list[str]:
    name = one_line(name)
    return [*(phrase(name) if name else ()), f"<{address}>"]

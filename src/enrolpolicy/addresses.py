"""One mailbox, read once and strictly; and text from elsewhere, made fit to stand on one line of a letter."""

import re
import unicodedata
from functools import lru_cache
from typing import final

from attrs import frozen

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_LOCAL = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LOCAL_OCTETS, _OCTETS = 64, 254

# Categories of characters that no address has: controls, formats, surrogates, unassigned, private, and all spaces.
_NEVER = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"


@final
@frozen(repr=False)
class Mailbox:
    """One mailbox. `domain` is as it goes over the wire, in ASCII; `local` may need a server that knows SMTPUTF8."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    def __repr__(self) -> str:
        return "Mailbox(…)"


@lru_cache(maxsize=1024)
def mailbox(text: str) -> Mailbox | None:
    """The mailbox an address names; None where it is not exactly one, plainly written.

    No display name, no quotes, no comments, no address literals, no leading hyphen (a program could take it for an
    option), a dot in the domain, and the lengths of RFC 5321. A domain beyond ASCII is taken where its encoding reads
    back as the same name; `straße.example` is not, because it would become the domain of `strasse.example`.
    """
    local, at, domain = text.rpartition("@")
    wire = _domain(domain)
    if not at or wire is None or not _local(local):
        return None
    found = Mailbox(local, wire)
    return found if len(str(found).encode()) <= _OCTETS else None


def _local(text: str) -> bool:
    if text.startswith("-") or not text:
        return False
    if text.isascii():
        return len(text) <= _LOCAL_OCTETS and _LOCAL.fullmatch(text) is not None
    if any(unicodedata.category(char) in _NEVER for char in text):
        return False
    # What is left beyond ASCII is as good as a letter.
    plain = "".join(char if char.isascii() else "x" for char in text)
    return len(text.encode()) <= _LOCAL_OCTETS and _LOCAL.fullmatch(plain) is not None


def _domain(text: str) -> str | None:
    labels = [_label(label) for label in text.split(".")]
    if len(labels) < 2 or labels[-1] is None or labels[-1].isdigit():
        return None
    known = [label for label in labels if label is not None]
    return ".".join(known) if len(known) == len(labels) else None


def _label(text: str) -> str | None:
    if text.isascii():
        return text if _LABEL.fullmatch(text) else None
    try:
        wire = text.encode("idna")
        same = wire.decode("idna") == unicodedata.normalize("NFC", text).lower()
    except UnicodeError:
        return None
    return wire.decode("ascii") if same and _LABEL.fullmatch(wire.decode("ascii")) else None


# Text

_SPACES = frozenset({"Cc", "Zl", "Zp"})
_WWW = re.compile(r"(www)\.", re.IGNORECASE)


@lru_cache(maxsize=1024)
def one_line(text: str, longest: int = 150) -> str:
    """Text on one line: breaks and controls are spaces, turns of the direction of writing left out, too much is cut.

    The joiners that Persian, Hindi and some emoji are written with stay. The result can be written in UTF-8.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_plain, text))
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _plain(char: str) -> str:
    category = unicodedata.category(char)
    if category in _SPACES:
        return " "
    if category == "Cs":
        return "\ufffd"
    return "" if category == "Cf" and char not in _JOINERS else char


@lru_cache(maxsize=1024)
def named(text: str, longest: int = 150) -> str:
    """A name on one line that no mail program makes a link of, so that the only web address is the sender's own."""
    return _WWW.sub(r"\1 .", one_line(text, longest).replace("://", ": //"))

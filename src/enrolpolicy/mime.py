"""A mail as bytes: a few headers, the same words as plain text and as HTML, the same bytes for the same input.

The standard library can write any message, and pays for it: some three milliseconds for one of ours, blanks inside long
names beyond ASCII, bytes that differ from one Python to the next. What is written here has one shape, so it is written
directly, and the tests read it back with the standard library.

Nothing from outside can make another header or part: a header is made of tokens without line ends, and no line of a
quoted-printable part can begin like a boundary, which holds `=_`.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

Header = tuple[str, Sequence[str]]
"""A name, and the tokens of its value; the line may be folded between any two."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/?^_`{|}~ -]+")  # without `=`, which could begin an encoded word
_WIDTH = 78
_WORD_OCTETS = 45  # sixty characters in base64: an encoded word has at most 75
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def alternative(headers: Iterable[Header], text: str, html: str, boundary: str) -> bytes:
    """The message: headers, plain text first, HTML second. `boundary` is text without blanks or quotes."""
    limit = f"=_{boundary}"
    lines = [
        *(_folded(name, tokens) for name, tokens in headers),
        _folded("MIME-Version", ["1.0"]),
        _folded("Content-Type", ["multipart/alternative;", f'boundary="{limit}"']),
        "",
        *(line for kind, body in (("plain", text), ("html", html)) for line in _part(kind, body, limit)),
        f"--{limit}--",
        "",
    ]
    return "\r\n".join(lines).encode()


def _part(kind: str, body: str, limit: str) -> Sequence[str]:
    return (
        f"--{limit}",
        f'Content-Type: text/{kind}; charset="utf-8"',
        "Content-Transfer-Encoding: quoted-printable",
        "",
        _quoted_printable(body),
    )


def _quoted_printable(text: str) -> str:
    """Lines of at most 76 characters, ended by CRLF; a line end of any kind is a line end."""
    return "".join(map(_quoted_line, text.splitlines()))


@lru_cache(maxsize=1024)
def _quoted_line(line: str) -> str:
    """One line, remembered: most lines of a letter are those of the letter before."""
    return binascii.b2a_qp(f"{line}\r\n".encode(errors="replace")).decode("ascii")


def _folded(name: str, tokens: Sequence[str]) -> str:
    lines = [f"{name}:"]
    for token in tokens:
        if len(lines[-1]) + 1 + len(token) <= _WIDTH or lines == [f"{name}:"]:
            lines[-1] += f" {token}"
        else:
            lines.append(f" {token}")
    return "\r\n".join(lines)


def words(text: str) -> Sequence[str]:
    """The tokens of a line of text, such as a subject."""
    return text.split(" ") if _plain(text) else _encoded(text)


def phrase(text: str) -> Sequence[str]:
    """The tokens of the name before an address."""
    if _ATOMS.fullmatch(text):
        return text.split(" ")
    if _plain(text):
        return ('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"',)
    return _encoded(text)


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "=?" not in text


def _encoded(text: str) -> Sequence[str]:
    """Encoded words (RFC 2047), none of which ends in the middle of a character."""
    pieces = [b""]
    for char in text:
        octets = char.encode(errors="replace")
        if len(pieces[-1]) + len(octets) > _WORD_OCTETS:
            pieces.append(b"")
        pieces[-1] += octets
    return tuple(f"=?utf-8?b?{base64.b64encode(piece).decode('ascii')}?=" for piece in pieces)


def date_header(at: datetime) -> str:
    """An instant as RFC 5322 writes it, whatever the locale."""
    day = f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year:04d}"
    # No offset of today has seconds, and the format could not say them.
    return f"{day} {at.hour:02d}:{at.minute:02d}:{at.second:02d} {at.strftime('%z')[:5]}"

"""What the words in a matrix mean: in its heads, and in cells that hold no date.

Only what means the same to everybody stands here. `booked`, `TBC` or `pass` say nothing about a date; a mapping may
say what they mean in one firm's matrix.
"""

import re
import unicodedata
from enum import Enum
from typing import final


@final
class Kind(Enum):
    """What the dates of a column are."""

    COMPLETED = "completed"
    EXPIRES = "expires"


@final
class Meaning(Enum):
    """What a cell without a date says."""

    NOTHING = "nothing"
    NOT_ASKED = "not-asked"
    NEVER_EXPIRES = "never-expires"


def key(text: str) -> str:
    """What makes two texts the same word: no case, no invisible characters, single blanks.

    >>> key(" Not\u00a0 Applicable\u200b")
    'not applicable'
    """
    visible = text if text.isascii() else "".join(char for char in text if unicodedata.category(char) != "Cf")
    return " ".join(visible.casefold().split())


def head_key(text: str) -> str:
    """The same for a head, in which punctuation does not matter either.

    >>> head_key("E-mail:"), head_key("Job Title(s)")
    ('e mail', 'job title s')
    """
    return " ".join(re.findall(r"[^\W_]+|[#&+]", key(text)))


MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(("", "-", "--", "–", "—", "none", "nil", "not done", "not taken"), Meaning.NOTHING),
    **dict.fromkeys(
        ("n/a", "na", "n.a.", "n.a", "not applicable", "not required", "not needed", "exempt"), Meaning.NOT_ASKED
    ),
    **dict.fromkeys(
        ("never expires", "no expiry", "does not expire", "lifetime", "for life", "indefinite"), Meaning.NEVER_EXPIRES
    ),
}

EMPLOYEE = frozenset({"employee", "employed", "staff", "permanent", "perm", "paye", "direct", "own"})
SUBCONTRACTOR = frozenset(
    {"subcontractor", "sub-contractor", "sub contractor", "subcontract", "contractor", "subbie", "cis", "agency"}
)

# Heads, by what `head_key` makes of them

FIELDS: dict[str, frozenset[str]] = {
    "name": frozenset(
        {"name", "full name", "employee", "employee name", "person", "staff", "staff name", "staff member", "worker"}
        | {"operative", "operative name", "delegate", "learner", "trainee", "team member", "personnel", "names"}
    ),
    "first_name": frozenset({"first name", "forename", "forenames", "given name", "firstname", "first names"}),
    "last_name": frozenset({"last name", "surname", "family name", "lastname"}),
    "email": frozenset({"email", "e mail", "email address", "e mail address", "mail", "work email", "work e mail"}),
    "roles": frozenset(
        {"role", "roles", "role s", "job title", "job title s", "job titles", "job role", "job roles", "position"}
        | {"job", "occupation", "trade"}
    ),
    "employment": frozenset(
        {"employment", "employment type", "employment status", "employee type", "worker type", "contract type"}
        | {"engagement", "employee subcontractor", "employee sub contractor", "employed as"}
    ),
    "division": frozenset(
        {"division", "department", "dept", "site", "location", "team", "branch", "business unit", "depot"}
    ),
    "id": frozenset(
        {"id", "employee id", "employee no", "employee number", "emp no", "emp id", "staff id", "staff no"}
        | {"staff number", "payroll", "payroll no", "payroll number", "payroll id", "personnel no"}
        | {"personnel number", "person id", "works no", "clock no", "clock number"}
    ),
}
"""The columns that say who a row is about, by the heads they have."""

ASIDE = frozenset(
    {"notes", "note", "comments", "comment", "remarks", "start date", "date started", "line manager", "manager"}
    | {"supervisor", "phone", "mobile", "telephone", "phone number", "no", "#", "date of birth", "dob"}
)
"""Columns that say nothing about training; they are set aside, and that is said."""

_COMPLETED = (
    "completed", "completed on", "completion", "completion date", "date completed", "date of completion", "done",
    "date done", "passed", "date passed", "taken", "date taken", "attended", "date attended", "training date",
    "date of training", "last done", "date trained",
)  # fmt: skip
_EXPIRES = (
    "expiry", "expires", "expires on", "expiry date", "date of expiry", "expiration", "expiration date", "exp date",
    "valid until", "valid to", "renewal date", "renewal due", "refresher due", "next due", "due date", "renew by",
)  # fmt: skip
KINDS: dict[str, Kind] = {
    **dict.fromkeys(_COMPLETED, Kind.COMPLETED),
    **dict.fromkeys(_EXPIRES, Kind.EXPIRES),
}
_LONGEST_FIRST = sorted(KINDS, key=len, reverse=True)


def course_and_kind(head: str) -> tuple[str, Kind | None]:
    """A head without the words that say what its dates are, and what those say; the course is "" where nothing is left.

    >>> course_and_kind("Fire Safety (expiry date)")
    ('Fire Safety', <Kind.EXPIRES: 'expires'>)
    >>> course_and_kind("Completed: First Aid"), course_and_kind("Due Diligence")
    (('First Aid', <Kind.COMPLETED: 'completed'>), ('Due Diligence', None))
    """
    plain = " ".join(head.split())
    if head_key(plain) in KINDS:
        return "", KINDS[head_key(plain)]
    for found in (_AT_END.search(plain), _AT_START.match(plain)):
        if found is not None:
            rest = plain[: found.start()] + plain[found.end() :]
            return rest.strip(_EDGES), KINDS[head_key(found[1])]
    return plain, None


_EDGES = " -–—:/|,.()[]"
_WORDS = "|".join(word.replace(" ", r"[\s_-]") for word in _LONGEST_FIRST)
# At the end after a blank or a bracket; in front only with a colon, a dash or a bracket behind.
_AT_END = re.compile(rf"[\s\-–—:/|,(\[]({_WORDS})[)\]]?$", re.IGNORECASE)
_AT_START = re.compile(rf"[(\[]?({_WORDS})\s?[:–—)\]|-]\s?(?=\S)", re.IGNORECASE)

"""What an invitation says: its words as a value, and ours in English, told once for plain text and for the page."""

from collections.abc import Callable
from datetime import date
from html import escape
from typing import final

from attrs import fields, frozen

from enrolpolicy.addresses import named, one_line
from enrolpolicy.ports import Invitation

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MOST_ROLES = 5


@final
@frozen(kw_only=True)
class Words:
    """What a letter says, in one language: the subject, and the same in plain text and as a whole HTML page.

    `html` is sent as it is: whoever writes it escapes what comes from the register.
    """

    subject: str
    text: str
    html: str
    language: str = "en"


Writer = Callable[[Invitation, str], Words]
"""Writes the words of an invitation; the second argument is the address its button leads to. A pure function."""


@final
@frozen(kw_only=True)
class Told:
    """Everything a letter says, sentence by sentence; none of it is escaped yet."""

    sender: str
    subject: str
    course: str
    greeting: str
    enrolled: str
    due: str
    asked_by: str
    start: str
    link: str
    ask: str
    automatic: str


def english(invitation: Invitation, link: str, *, sender: str, contact: str) -> Words:
    """An invitation in English: who, what, why, by when, where, and whom to ask."""
    told = _told(invitation, link, sender, contact)
    return Words(subject=told.subject, text=_text(told), html=_html(told))


def _told(invitation: Invitation, link: str, sender: str, contact: str) -> Told:
    course = named(invitation.course_name) or named(invitation.course)
    name = named(invitation.name, 60)
    subject, due = _due(invitation)
    return Told(
        sender=one_line(sender),
        subject=f"{named(course, 90)}: {subject}",
        course=course,
        greeting=f"Hello {name}," if name else "Hello,",
        enrolled=f"You are enrolled on {course}.",
        due=due,
        asked_by=_asked_by(invitation.asked_by),
        start="Start the course",
        link=link,
        ask=f"If you have questions, ask {one_line(contact)}.",
        automatic="This message was sent automatically, because you are enrolled on this course.",
    )


def _due(invitation: Invitation) -> tuple[str, str]:
    """How the subject ends, and by when to finish."""
    last = invitation.expires_on
    if last is None:
        if invitation.because == "missing":
            return "please take this training", "There is no record yet that you have taken it. Please take it soon."
        return "you are enrolled", "Please take it soon."
    # A letter may be written late. Two days on, the last day is over in every time zone.
    if invitation.because == "expired" or (invitation.at.date() - last).days > 1:
        return (
            f"your training expired on {day(last)}",
            f"Your training was valid until {_DAYS[last.weekday()]} {day(last)}. Please renew it as soon as you can.",
        )
    return (
        f"your training expires on {day(last)}",
        f"Your training is valid until {_DAYS[last.weekday()]} {day(last)}. Please finish the course by then.",
    )


def day(on: date) -> str:
    """A date in words, whatever the locale: 24 November 2026."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def _asked_by(roles: tuple[str, ...]) -> str:
    names = [name for name in (named(role, 60) for role in roles) if name]
    more = len(names) - _MOST_ROLES
    if more > 0:
        names = [*names[:_MOST_ROLES], f"{more} more"]
    if not names:
        return ""
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"It is part of your role{'s' if len(names) > 1 else ''}: {listed}."


def _text(told: Told) -> str:
    why = f"{told.due}\n{told.asked_by}" if told.asked_by else told.due
    return "\n\n".join(
        [told.greeting, f"{told.enrolled}\n{why}", f"{told.start}:\n{told.link}", told.ask, f"-- \n{told.automatic}\n"]
    )


def _html(told: Told) -> str:
    values = {name: escape(getattr(told, name)) for name in _TOLD}
    role = _ROLE.format_map(values) if told.asked_by else ""
    head = _HEAD.format_map(values) if told.sender else ""
    return _PAGE.format_map({**values, "role": role, "head": head})


_TOLD = tuple(field.name for field in fields(Told))
_HEAD = '<p style="margin:0 0 24px;font-size:14px;color:#5b6470"><bdi>{sender}</bdi></p>\n'
_ROLE = '<p style="margin:0 0 16px">{asked_by}</p>\n'
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{subject}</title>
</head>
<body style="margin:0;padding:0;background-color:#f2f4f7">
<div style="display:none;max-height:0;overflow:hidden">{due}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="background-color:#f2f4f7">
<tr><td align="center" style="padding:32px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" \
style="max-width:560px;background-color:#ffffff;border:1px solid #dfe3e8;border-radius:8px">
<tr><td style="padding:32px;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;\
line-height:1.5;color:#1f2933;text-align:left;word-break:break-word">
{head}<h1 style="margin:0 0 20px;font-size:24px;line-height:1.25;color:#1f2933">{course}</h1>
<p style="margin:0 0 16px">{greeting}</p>
<p style="margin:0 0 16px">{enrolled}</p>
<p style="margin:0 0 16px;padding:12px 16px;background-color:#fff7e6;border-left:4px solid #b45309">{due}</p>
{role}<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:24px 0">
<tr><td bgcolor="#0b5cad" style="border-radius:6px">
<a href="{link}" style="display:inline-block;padding:14px 28px;font-size:16px;font-weight:bold;color:#ffffff;\
text-decoration:none;border-radius:6px">{start}</a>
</td></tr>
</table>
<p style="margin:0 0 24px;font-size:14px;color:#5b6470">If the button does not work, open this address:<br>
<a href="{link}" style="color:#0b5cad">{link}</a></p>
<p style="margin:0 0 16px">{ask}</p>
<p style="margin:24px 0 0;padding-top:16px;border-top:1px solid #dfe3e8;font-size:13px;color:#5b6470">{automatic}</p>
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
"""

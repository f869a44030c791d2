"""What every call with an effect answers: one of three things."""

from typing import Generic, TypeVar, final

from attrs import frozen

_T_co = TypeVar("_T_co", covariant=True)


@final
@frozen
class Done(Generic[_T_co]):
    """It happened, and this came of it."""

    value: _T_co


@final
@frozen
class Refused:
    """It did not happen, and nothing else did.

    `reason` is a short code (`unknown-course`), never a body or an address. `final`: asking again under the same key
    will be refused again, even for a copy still under way; not `final`: it may be asked again later (busy, say).
    `everything`: nothing else would fare better now (wrong credentials, a server that is down), so no more is asked.
    """

    reason: str
    final: bool = True
    everything: bool = False


@final
@frozen
class Unknown:
    """It may have happened, or not. `detail` says what was seen, without addresses, bodies or secrets."""

    detail: str

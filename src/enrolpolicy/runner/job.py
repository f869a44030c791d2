"""What a run knows from the start, and never changes but for the date of its night."""

from datetime import date, datetime, timedelta
from typing import final

from attrs import frozen

from enrolpolicy.guarantees import Guarantee
from enrolpolicy.ports import Composer, LmsCapabilities


@final
@frozen(kw_only=True)
class Job:
    """What a run knows from the start.

    `at` is an instant of the night, `on` the night's date (that of `at`, until the account's time zone is known).
    `actor` is who the journal names, `owner` tells this run from others. `lease`: how long others leave alone what it
    works on. `batch`: how many rows share a transaction. `tries`: how often a letter is begun before it is given up.
    `patience`: after how many calls in a row without an answer it stops.
    """

    account: str
    on: date
    at: datetime
    actor: str
    owner: str
    lms: LmsCapabilities
    guarantee: Guarantee
    compose: Composer
    lease: timedelta
    batch: int
    tries: int
    patience: int

"""What cannot be meant so in an estate (rule 7): the object engine's findings, looked for where there can be any."""

from enrolpolicy.bulk.columns import Estate, Ints
from enrolpolicy.bulk.snapshots import day_of, snapshot_of
from enrolpolicy.findings import canonical_findings
from enrolpolicy.plans import Finding


def noticed(estate: Estate, on: Ints) -> tuple[tuple[Finding, ...], ...]:
    """The findings of each account, on its night."""
    nights = enumerate(on.tolist())
    return tuple(canonical_findings(snapshot_of(estate, account), day_of(night)) for account, night in nights)

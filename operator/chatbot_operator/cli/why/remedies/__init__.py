"""From a reason to the ways out of it: whose they are, and what exactly to type. Pure.

Every reason that can make a condition other than true has a row; a test sees to it. NotReached has
none: an earlier step says more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from chatbot_operator.cli.checks import Way
from chatbot_operator.cli.why.remedies.account import ACCOUNT
from chatbot_operator.cli.why.remedies.azure import AZURE_REFUSES
from chatbot_operator.cli.why.remedies.cluster import CLUSTER_REFUSES
from chatbot_operator.cli.why.remedies.known import Known, Remedy, commands_in
from chatbot_operator.cli.why.remedies.permission import PERMISSION
from chatbot_operator.cli.why.remedies.proof import PROOF, PROPAGATION_SECONDS

__all__ = ["REMEDIES", "Known", "Remedy", "commands_in", "ways", "within"]

REMEDIES: Final[Mapping[str, Remedy]] = {
    **PERMISSION,
    **ACCOUNT,
    **AZURE_REFUSES,
    **CLUSTER_REFUSES,
    **PROOF,
}

_INNER: Final = re.compile(r"\(([A-Z]\w+)\)$", re.ASCII)
"""The account's own reason, at the end of what AccountNotUsable says."""


def ways(reason: str, known: Known) -> tuple[Way, ...]:
    """Give the ways out of a reason; none for one that this program does not know."""
    inner = _INNER.search(known.message) if reason == "AccountNotUsable" else None
    reasons = (*((inner.group(1),) if inner else ()), reason)
    return tuple(way for each in reasons if each in REMEDIES for way in REMEDIES[each].ways(known))


def within(reason: str, known: Known) -> float:
    """Give the seconds in which a reason passes by itself as a rule; 0 where it does not."""
    usual = REMEDIES[reason].within if reason in REMEDIES else 0.0
    settings = known.operator.settings if known.operator else None
    return settings.propagation_deadline if settings and usual == PROPAGATION_SECONDS else usual

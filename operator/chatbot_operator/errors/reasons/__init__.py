"""Every reason that a condition or an event can give: a closed set, by name.

docs/reasons.md is written from it; a test holds the code, the page and the tests to it.
"""

from __future__ import annotations

from typing import Final

from chatbot_operator.errors.reasons.azure import AZURE
from chatbot_operator.errors.reasons.cluster import CLUSTER
from chatbot_operator.errors.reasons.course import COURSE
from chatbot_operator.errors.reasons.permission import PERMISSION
from chatbot_operator.errors.reasons.proof import PROOF
from chatbot_operator.errors.reasons.reason import Reason

__all__ = ["CHAPTERS", "REASONS", "Reason"]

CHAPTERS: Final = {
    "The account and the right to use it": PERMISSION,
    "Azure and Entra": AZURE,
    "The cluster": CLUSTER,
    "The proof": PROOF,
    "The course of things": COURSE,
}

REASONS: Final = {reason.name: reason for chapter in CHAPTERS.values() for reason in chapter}

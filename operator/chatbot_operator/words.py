"""Words of others, on their way to a person."""

from __future__ import annotations

import re
from typing import Final

_UNSEEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
"""Space of every kind, and what no one sees: it ends lines, moves the cursor, or turns text round
(https://trojansource.codes)."""


def plain(text: str) -> str:
    """Put one space for whatever of a text a terminal would not show as it is."""
    return _UNSEEN.sub(" ", text).strip()

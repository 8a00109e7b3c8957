"""Words of others, on their way to a person."""

from __future__ import annotations

import re
from typing import Final

_UNSEEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
"""Space of every kind, and what no one sees: it ends lines, moves the cursor, or turns text round
(https://trojansource.codes)."""

_STEERING: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Of those what is not needed to write a text of several lines, in any language."""


def plain(text: str) -> str:
    """Put one space for whatever of a text a terminal would not show as it is."""
    return _UNSEEN.sub(" ", text).strip()


def legible(text: str) -> str:
    """Take out what steers a terminal or turns text round; lines, tabs and emoji stay whole."""
    return _STEERING.sub("", text)


def escaped(text: str) -> str:
    """Write as JSON escapes what of a JSON text steers a terminal: it means the same.

    JSON itself lets it stand, but for the first 32 (https://www.rfc-editor.org/rfc/rfc8259#section-7).
    """
    return _STEERING.sub(lambda found: f"\\u{ord(found.group()):04x}", text)

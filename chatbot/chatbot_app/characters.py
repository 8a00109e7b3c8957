"""Characters: JSON can carry half of one, UTF-8 cannot."""

from __future__ import annotations


def whole(text: str) -> str:
    """Replace lone surrogates by U+FFFD; text that was cut off in an emoji ends in one."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

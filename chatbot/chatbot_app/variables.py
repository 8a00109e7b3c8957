"""Reading variables of the environment: each kind of value, and what is wrong with it.

An empty variable counts as unset.
"""

from __future__ import annotations

import ipaddress
import json
import math
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chatbot_app.trust import trust

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_PORT = 65535

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that is missing or malformed, with what it should be."""

    name: str
    complaint: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads values and collects every complaint instead of stopping at the first."""

    environment: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def text(self, *names: str, default: str = "") -> str:
        """Give the first of these that is set."""
        values = (self.environment.get(name, "").strip() for name in names)
        return next((value for value in values if value), default)

    def required(self, *names: str, meaning: str) -> str:
        """Give it; without it is a problem that says what it is."""
        value = self.text(*names)
        if not value:
            self.problems.append(Problem(names[0], f"is missing: {meaning}"))
        return value

    def choice(self, name: str, *known: str) -> str:
        """Give one of the known words."""
        value = self.text(name)
        if value and value not in known:
            self.problems.append(Problem(name, f"must be {' or '.join(known)}, or unset"))
        return value

    def endpoint(self, *names: str) -> str:
        """Give an account's address, with a slash at its end."""
        example = "the account's address, https://NAME.openai.azure.com/"
        value = self.required(*names, meaning=example)
        if not value:
            return ""
        address = value.rstrip("/").removesuffix("/openai/v1").removesuffix("/openai") + "/"
        try:
            parts = urlsplit(address)
            usable = parts.scheme == "https" and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment or parts.username:
            name = next(name for name in names if self.text(name))
            self.problems.append(Problem(name, f"is not {example}"))
        return address

    def authorities(self, name: str) -> str:
        """Give the path of a file of certificates."""
        value = self.text(name)
        try:
            if value:
                trust(value)
        except OSError as error:
            self.problems.append(Problem(name, f"is no file of certificates: {error.strerror}"))
        return value

    def number(self, name: str, *, low: float, high: float) -> float | None:
        """Give a number within its bounds."""
        value = self.text(name)
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if low <= number <= high:
            return number
        limit = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of at least {low:g}"
        self.problems.append(Problem(name, f"must be a number {limit}, not {value[:40]!r}"))
        return None

    def seconds(self, name: str, *, low: float, default: float) -> float:
        """Give seconds, at most a day."""
        number = self.number(name, low=low, high=86400)
        return default if number is None else number

    def whole(self, name: str, *, low: int, high: int) -> int | None:
        """Give a whole number within its bounds."""
        value = self.text(name)
        if not value:
            return None
        if value.isascii() and value.isdecimal() and low <= int(value) <= high:
            return int(value)
        complaint = f"must be a whole number from {low} to {high}, not {value[:40]!r}"
        self.problems.append(Problem(name, complaint))
        return None

    def port(self, name: str, default: int | None = None) -> int | None:
        """Give a port; 0 is any free one."""
        number = self.whole(name, low=0, high=MAX_PORT)
        return default if number is None else number

    def networks(self, name: str) -> tuple[Network, ...]:
        """Give networks, written with commas between."""
        value = self.text(name)
        try:
            return tuple(ipaddress.ip_network(n, strict=False) for n in value.split(",") if value)
        except ValueError as error:
            self.problems.append(Problem(name, f"must be networks such as 10.0.0.0/8: {error}"))
            return ()

    def words(self, name: str) -> tuple[str, ...]:
        """Give words, written with commas between."""
        return tuple(word.strip() for word in self.text(name).split(",") if word.strip())

    def guids(self, name: str) -> tuple[str, ...]:
        """Give ids of Entra in lower case, written with commas between."""
        value = self.text(name)
        try:
            return tuple(str(uuid.UUID(word.strip())) for word in value.split(",") if value)
        except ValueError:
            self.problems.append(Problem(name, "must be object ids, with commas between"))
            return ()

    def texts(self, name: str) -> tuple[str, ...]:
        """Give the texts of a JSON list."""
        value = self.text(name)
        try:
            found = json.loads(value or "[]")
        except ValueError:
            found = None
        if isinstance(found, list) and all(isinstance(text, str) for text in found):
            return tuple(found)
        self.problems.append(Problem(name, 'must be a JSON list of texts, such as ["Hello"]'))
        return ()

    def path(self, name: str) -> Path | None:
        """Give a path, whether or not there is anything."""
        value = self.text(name)
        return Path(value) if value else None

    def prompt(self, name: str, path: Path | None) -> str:
        """Give the text of a file; a file that is not there is an empty one."""
        if path is None:
            return ""
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(Problem(name, f"cannot be read as UTF-8 text: {error}"))
            return ""

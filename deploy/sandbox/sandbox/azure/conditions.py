"""Conditions on role assignments (ABAC), as far as constrained delegation uses them.

The grammar is that of
https://learn.microsoft.com/azure/role-based-access-control/conditions-format: comparisons of
`@Request[...]` and `@Resource[...]` attributes with literals, `ActionMatches{...}`, AND, OR, `!`
and parentheses. Whatever else a text holds makes it unreadable, and an unreadable condition is
never met.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

Attributes = Mapping[str, str | None]


class UnreadableConditionError(ValueError):
    """A condition that this parser does not understand."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is being done, with the attributes of the request and of the existing resource."""

    action: str
    request: Attributes
    resource: Attributes


Condition = Callable[[Question], bool]


def holds(text: str, question: Question) -> bool:
    """Whether the condition is met; never, when it cannot be read."""
    try:
        return parse(text)(question)
    except UnreadableConditionError:
        return False


@lru_cache(maxsize=256)
def parse(text: str) -> Condition:
    """The condition as a function; raises UnreadableConditionError."""
    parser = _Parser(_tokens(text))
    condition = parser.either()
    if parser.ahead():
        raise UnreadableConditionError(f"unexpected {parser.ahead()!r}")
    return condition


_TOKEN = re.compile(
    r"\s*('(?:[^'\\]|\\.)*'|@\w+\[[^\]]*\]|&&|\|\||[(){},!]|[A-Za-z0-9][\w:.-]*)\s*"
)
_ATTRIBUTE = re.compile(
    r"@(Request|Resource)\[Microsoft\.Authorization/roleAssignments:(\w+)\]", re.IGNORECASE
)
_NAMES = {name.lower(): name for name in ("RoleDefinitionId", "PrincipalId", "PrincipalType")}


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise UnreadableConditionError(f"unexpected {text[position : position + 20]!r}")
        tokens.append(match[1])
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent; AND binds closer than OR, `!` closer than both."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def ahead(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def either(self) -> Condition:
        left = self._both()
        while self.ahead().upper() in {"OR", "||"}:
            self._take()
            left = _or(left, self._both())
        return left

    def _both(self) -> Condition:
        left = self._one()
        while self.ahead().upper() in {"AND", "&&"}:
            self._take()
            left = _and(left, self._one())
        return left

    def _one(self) -> Condition:
        word = self._take()
        if word == "!" or word.upper() == "NOT":
            return _not(self._one())
        if word == "(":
            inner = self.either()
            self._expect(")")
            return inner
        if word.lower() == "actionmatches":
            return _action(self._literals())
        return self._comparison(word)

    def _comparison(self, token: str) -> Condition:
        match = _ATTRIBUTE.fullmatch(token)
        if match is None or match[2].lower() not in _NAMES:
            raise UnreadableConditionError(f"unknown attribute {token!r}")
        compare = _comparison(self._take())
        values = self._literals() if self.ahead() == "{" else [_literal(self._take())]
        return _attribute(match[1].lower(), _NAMES[match[2].lower()], compare, values)

    def _literals(self) -> list[str]:
        self._expect("{")
        values = [_literal(self._take())]
        while self.ahead() == ",":
            self._take()
            values.append(_literal(self._take()))
        self._expect("}")
        return values

    def _take(self) -> str:
        if not self._tokens:
            raise UnreadableConditionError("the condition ends too early")
        return self._tokens.pop(0)

    def _expect(self, wanted: str) -> None:
        if (found := self._take()) != wanted:
            raise UnreadableConditionError(f"{found!r} where {wanted!r} belongs")


def _literal(token: str) -> str:
    if token.startswith("'"):
        return token[1:-1]
    if token[0].isalnum():
        return token
    raise UnreadableConditionError(f"{token!r} is not a value")


Compare = Callable[[str, list[str]], bool]


def _comparison(operator: str) -> Compare:
    """An operator such as `ForAnyOfAnyValues:GuidEquals`.

    Every attribute here has one value, so ForAny and ForAll of the left side are the same; what
    counts is whether any or all of the values on the right must compare.
    """
    quantifier, _, name = operator.rpartition(":")
    match = _OPERATOR.fullmatch(name)
    if quantifier.lower() not in _QUANTIFIERS or match is None:
        raise UnreadableConditionError(f"unknown operator {operator!r}")
    over = all if quantifier.lower().endswith("ofallvalues") else any
    wanted = match["not"] is None
    fold = match["kind"].lower() == "guid" or match["fold"] is not None

    def compare(value: str, literals: list[str]) -> bool:
        left = value.lower() if fold else value
        rights = [literal.lower() if fold else literal for literal in literals]
        return over((left == right) == wanted for right in rights)

    return compare


_OPERATOR = re.compile(
    r"(?P<kind>Guid|String)(?P<not>Not)?Equals(?P<fold>IgnoreCase)?", re.IGNORECASE
)
_QUANTIFIERS = {
    "",
    "foranyofanyvalues",
    "foranyofallvalues",
    "forallofanyvalues",
    "forallofallvalues",
}


def _or(left: Condition, right: Condition) -> Condition:
    return lambda question: left(question) or right(question)


def _and(left: Condition, right: Condition) -> Condition:
    return lambda question: left(question) and right(question)


def _not(inner: Condition) -> Condition:
    return lambda question: not inner(question)


def _action(patterns: list[str]) -> Condition:
    compiled = [re.compile(re.escape(p).replace(r"\*", ".*"), re.IGNORECASE) for p in patterns]
    return lambda question: any(pattern.fullmatch(question.action) for pattern in compiled)


def _attribute(source: str, name: str, compare: Compare, literals: list[str]) -> Condition:
    def met(question: Question) -> bool:
        attributes = question.request if source == "request" else question.resource
        value = attributes.get(name)
        return value is not None and compare(value, literals)

    return met

"""What is known when a way out is looked for, and how commands are spelled from it. Pure."""

from __future__ import annotations

import difflib
import json
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from chatbot_operator import naming
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.checks import Way
from chatbot_operator.cli.installed import CLIENT_ID, Installed

TEAM: Final = "The chatbot's team"
OWNERS: Final = "The account's owners (platform team)"
AZURE: Final = "Whoever administers Azure"
CLUSTER: Final = "Whoever runs the cluster"
ANYBODY: Final = "To look closer"

OPERATOR: Final = "chatbot-operator"
"""The namespace, and the name, that the operator is shipped with."""

_QUOTED: Final = re.compile(r"`([^`]+)`")
_PROGRAMS: Final = ("az", "kubectl")


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to spell commands from; whatever is not known is empty.

    `kubectl` spells a command for the cluster that was looked at; `message` is the condition's;
    `accounts` are the names of those there are; `pods` those of the chatbot's, the worst first.
    """

    kubectl: Callable[..., str]
    message: str = ""
    chatbot: Chatbot | None = None
    account: Account | None = None
    account_name: str = ""
    accounts: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    operator: Installed | None = None

    @property
    def name(self) -> str:
        """The chatbot's name."""
        return self.chatbot.name if self.chatbot else ""

    @property
    def namespace(self) -> str:
        """The chatbot's namespace."""
        return self.chatbot.namespace if self.chatbot else ""

    def here(self, *words: str) -> str:
        """Spell a kubectl command in the chatbot's namespace."""
        return self.kubectl(*words, "-n", self.namespace)

    def patch_chatbot(self, *operations: dict[str, Any]) -> str:
        """Spell a JSON patch (RFC 6902) of the chatbot."""
        return self.here("patch", "chatbot", self.name, "--type=json", "-p", _json(operations))

    def merge_chatbot(self, spec: dict[str, Any]) -> str:
        """Spell a merge patch of the chatbot's spec."""
        return self.here("patch", "chatbot", self.name, "--type=merge", "-p", _json({"spec": spec}))

    @property
    def labels(self) -> str:
        """The selector of the chatbot's pods, for -l."""
        return f"app.kubernetes.io/name=chatbot,app.kubernetes.io/instance={self.name}"

    @property
    def pod(self) -> str:
        """The pod that is worst off, as kubectl names it; any of them when none is known."""
        return f"pod/{self.pods[0]}" if self.pods else f"deployment/{self.name}"

    @property
    def identity_id(self) -> str:
        """The ARM id of the chatbot's managed identity."""
        return self.chatbot.recorded.identity_id if self.chatbot else ""

    @property
    def principal_id(self) -> str:
        """The object id of the identity's service principal."""
        return self.chatbot.recorded.principal_id if self.chatbot else ""

    def of_identity(self, flag: str) -> tuple[str, ...]:
        """Spell which identity is meant, its name by `flag`."""
        if not self.identity_id:
            return (flag, "IDENTITY", "--resource-group", "GROUP")
        _, _, subscription, _, group, _, _, _, name = self.identity_id.split("/")
        return (flag, name, "--resource-group", group, "--subscription", subscription)

    @property
    def account_id(self) -> str:
        """The ARM id of the account: as its resource says, else as the chatbot's status does."""
        recorded = self.chatbot.recorded.account_id if self.chatbot else ""
        return self.account.account_id if self.account else recorded

    @property
    def of_account(self) -> tuple[str, ...]:
        """Spell which account in Azure is meant."""
        if not self.account_id:
            return ("--name", "ACCOUNT", "--resource-group", "GROUP")
        _, _, subscription, _, group, _, _, _, name = self.account_id.split("/")
        return ("--name", name, "--resource-group", group, "--subscription", subscription)

    @property
    def subscription(self) -> tuple[str, ...]:
        """Spell which subscription is meant."""
        known = self.account_id or self.identity_id
        return ("--subscription", known.split("/")[2]) if known else ()

    def patch_account(self, *operations: dict[str, Any]) -> str:
        """Spell a JSON patch (RFC 6902) of the account's resource."""
        return self.kubectl(
            "patch", "aoai", self.account_name, "--type=json", "-p", _json(operations)
        )

    def merge_account(self, spec: dict[str, Any]) -> str:
        """Spell a merge patch of the account's spec."""
        return self.kubectl(
            "patch", "aoai", self.account_name, "--type=merge", "-p", _json({"spec": spec})
        )

    def add_to_account(self, path: str, value: Any, *, there: bool | None) -> str:
        """Spell how a value comes into a list of the account's spec, which is `there` or not.

        None: nobody knows; then it is taken to be, and the patch is refused where it is not.
        """
        if there is False:
            return self.patch_account({"op": "add", "path": path, "value": [value]})
        return self.patch_account({"op": "add", "path": f"{path}/-", "value": value})

    @property
    def home(self) -> str:
        """The operator's namespace."""
        return self.operator.namespace if self.operator else OPERATOR

    @property
    def logs(self) -> str:
        """Spell how the operator's last words are read."""
        which = f"app.kubernetes.io/name={OPERATOR}"
        return self.kubectl("logs", "-n", self.home, "-l", which, "--since=10m", "--tail=200")

    @property
    def client_id(self) -> str:
        """The client id of the operator's own identity; OPERATOR where it is not known."""
        known = self.operator.client_id if self.operator else ""
        return known or "OPERATOR"

    @property
    def find_client_id(self) -> tuple[str, ...]:
        """Spell how OPERATOR, where that stands in a command, is found out."""
        if self.client_id != "OPERATOR":
            return ()
        path = CLIENT_ID.replace(".", r"\.")
        what = f"jsonpath={{.metadata.annotations.{path}}}"
        return (self.kubectl("get", "serviceaccount", OPERATOR, "-n", self.home, "-o", what),)

    @property
    def identity_group(self) -> str:
        """The ARM id of the resource group that identities go to; empty if that is not known."""
        if self.identity_id:
            return "/".join(self.identity_id.split("/")[:5])
        settings = self.operator.settings if self.operator else None
        group = self.account.identity_resource_group if self.account else ""
        group = group or (settings.identity_resource_group if settings else "")
        known = self.account_id
        return naming.group_id(known.split("/")[2], group) if known and group else ""


Ways = Callable[[Known], Iterable[Way]]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about a reason.

    `within`: seconds in which it passes by itself as a rule; there is nothing to type before. 0
    where somebody has to act.
    """

    ways: Ways
    within: float = 0.0


def az(*words: str) -> str:
    """Spell a command of the Azure CLI."""
    return shlex.join(("az", *words))


def commands_in(message: str) -> tuple[str, ...]:
    """Take out of the operator's own words the commands that stand there between backticks.

    Only what a shell would hand to az or kubectl word by word, with nothing left to expand. Never
    to be asked of words that come from elsewhere: a pod, a webhook or Azure may say anything.
    """
    return tuple(each for each in _QUOTED.findall(message) if _is_plain(each))


def nearest(name: str, there: Iterable[str]) -> str:
    """Give the name most like this one, else the first; empty if there is none."""
    names = sorted(there)
    alike = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return next(iter((*alike, *names)), "")


def _is_plain(command: str) -> bool:
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    return (
        command.isprintable()
        and words[:1] != []
        and words[0] in _PROGRAMS
        and _same(words, command)
    )


def _same(words: list[str], command: str) -> bool:
    return shlex.join(words) == command


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

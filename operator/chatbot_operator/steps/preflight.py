"""What is worth knowing about an Azure OpenAI account before chatbots meet it. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from chatbot_operator.account import Account
from chatbot_operator.ports import Model, OpenAIAccount
from chatbot_operator.status import Condition, false, true, unknown

Severity = Literal["Error", "Warning"]
LIMIT: Final = 64
"""The most findings that the CRD takes."""
NOTICE: Final = dt.timedelta(days=90)
"""How long before its end a model is told of."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about an account. An Error keeps chatbots from working, a Warning may."""

    type: str
    severity: Severity
    message: str


def findings(account: Account, found: OpenAIAccount, today: dt.date) -> list[Finding]:
    """Give what is noteworthy, in an order that stays."""
    told = [
        *_keys(account, found),
        *_network(found),
        *_missing(account, found),
        *(each for model in found.models for each in _model(model, today)),
    ]
    return sorted(told, key=lambda finding: (finding.severity, finding.type, finding.message))


def reachable(found: OpenAIAccount) -> Condition:
    """Say whether the account's network lets chatbots in; from where they ask is not known here."""
    network = found.network
    ways = [e.name for e in network.endpoints if e.state == "Approved"]
    if network.public and network.everywhere:
        return true("Reachable", "Open", "The account answers from everywhere.")
    if not ways and not (network.public and network.rules):
        return false(
            "Reachable",
            "NetworkClosed",
            "The account answers from nowhere: no network rule and no approved private endpoint"
            " lets anybody in. Add one that the cluster's network can use.",
        )
    return unknown(
        "Reachable",
        "NetworkRestricted",
        f"The account answers {_ways(found)} only; chatbots elsewhere are refused with"
        " NetworkDenied.",
    )


def _keys(account: Account, found: OpenAIAccount) -> Iterator[Finding]:
    if found.keys:
        yield Finding(
            "KeyAccess",
            "Warning",
            "Keys open the account beside identities: whoever has one needs no role. No chatbot"
            " uses them: `az resource update --ids"
            f" {account.account_id} --set properties.disableLocalAuth=true`.",
        )


def _network(found: OpenAIAccount) -> Iterator[Finding]:
    condition = reachable(found)
    if condition.status != "True":
        severity: Severity = "Error" if condition.status == "False" else "Warning"
        yield Finding(condition.reason, severity, condition.message)
    for endpoint in found.network.endpoints:
        if endpoint.state != "Approved":
            yield Finding(
                "PrivateEndpointNotApproved",
                "Warning",
                f"Private endpoint connection {endpoint.name} is {endpoint.state or 'unknown'}; it"
                " leads nowhere until the account's owner approves it.",
            )


def _ways(found: OpenAIAccount) -> str:
    network = found.network
    ways = [f"over private endpoint {e.name}" for e in network.endpoints if e.state == "Approved"]
    if network.public and network.rules:
        ways.append(f"to the networks of {network.rules} rules")
    return " and ".join(ways)


def _missing(account: Account, found: OpenAIAccount) -> Iterator[Finding]:
    for name in account.deployments - {model.name for model in found.models}:
        yield Finding(
            "DeploymentMissing",
            "Warning",
            f"spec.deployments names {name}, which the account does not have.",
        )


def _model(model: Model, today: dt.date) -> Iterator[Finding]:
    if model.state != "Succeeded":
        yield Finding("DeploymentNotReady", "Warning", f"Deployment {model.name} is {model.state}.")
    if not model.retires:
        return
    what = f"{model.model} {model.version}, which deployment {model.name} runs,"
    end = dt.date.fromisoformat(model.retires)
    if end <= today:
        yield Finding(
            "ModelRetired", "Error", f"{what} was retired on {end}. Deploy another version."
        )
    elif end - today <= NOTICE:
        yield Finding(
            "ModelRetiring", "Warning", f"{what} retires on {end}. Plan for another version."
        )

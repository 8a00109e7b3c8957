"""Can this Azure OpenAI account be used by anybody? Asked once for all its chatbots."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, replace
from typing import Any

from chatbot_operator.account import Account
from chatbot_operator.errors import Fault, Pending, Refusal, Stuck
from chatbot_operator.ports import Azure, OpenAIAccount, World
from chatbot_operator.status import MESSAGE_LIMIT, Condition
from chatbot_operator.steps.preflight import LIMIT, Finding, findings, reachable

KINDS = ("OpenAI", "AIServices")
SETTLING = ("Accepted", "Creating", "Moving", "ResolvingDNS")


@dataclass(frozen=True, slots=True)
class Examination:
    """What Azure says of an account: facts for its status, and the fault that bars its use."""

    facts: dict[str, Any]
    reachable: Condition | None
    fault: Fault | None
    rights: Condition | None = None


async def examine(world: World, account: Account) -> Examination:
    """Ask Azure about the account."""
    return await ask(world.azure, account, world.now().date())


async def ask(azure: Azure, account: Account, today: dt.date) -> Examination:
    """Ask Azure about the account; raises Refusal where it says nothing of it."""
    try:
        found = await azure.account(account.account_id)
    except Refusal as refusal:
        if refusal.code != "ResourceNotFound":
            raise
        fault = await _not_found(azure, account)
        return Examination(_told([_error(fault)]), None, fault)
    unusable = _judge(account, found)
    told = findings(account, found, today)
    if isinstance(unusable, Stuck):
        told = [_error(unusable), *told]
    return Examination({**facts(account, found), **_told(told)}, reachable(found), unusable)


def facts(account: Account, found: OpenAIAccount) -> dict[str, Any]:
    """Put down what chatbots, and those who run them, need to know."""
    endpoint = account.endpoint_override or found.endpoint
    models: list[dict[str, Any]] = [
        {key: value for key, value in asdict(model).items() if value != ""}
        for model in sorted(found.models, key=lambda model: model.name)
    ]
    return {
        "endpoint": f"{endpoint.rstrip('/')}/",
        "location": found.location,
        "deployments": models,
    }


def _told(told: list[Finding]) -> dict[str, Any]:
    shortened = [replace(each, message=each.message[:MESSAGE_LIMIT]) for each in told[:LIMIT]]
    return {"findings": [asdict(finding) for finding in shortened]}


def _error(fault: Fault) -> Finding:
    return Finding(fault.reason, "Error", fault.message)


async def _not_found(azure: Azure, account: Account) -> Stuck:
    """Say that the account is not there, or that it is only soft-deleted where Azure tells."""
    here = f"--name {account.azure_name} --resource-group {account.resource_group}"
    at = account.found_location
    if at and await azure.soft_deleted(account.account_id, at):
        return Stuck(
            "AccountSoftDeleted",
            f"{account.azure_name} was deleted and can still be restored, with its deployments:"
            f" `az cognitiveservices account recover {here} --location {at}`.",
        )
    return Stuck(
        "AccountNotFound",
        f"Azure has no {account.account_id}. Compare it with `az cognitiveservices account show"
        f" {here} --query id`; a deleted account can be restored for 48 hours.",
    )


def _judge(account: Account, found: OpenAIAccount) -> Fault | None:
    """Give the fault that keeps everybody from using the account."""
    if found.kind not in KINDS:
        return Stuck(
            "NotOpenAI",
            f"{account.azure_name} is of kind {found.kind}; chatbots need {' or '.join(KINDS)}.",
        )
    if found.provisioning_state in SETTLING:
        return Pending(
            "AccountProvisioning", f"Azure is still making it: {found.provisioning_state}."
        )
    if found.provisioning_state != "Succeeded":
        return Stuck("AccountNotReady", f"Its provisioning state is {found.provisioning_state}.")
    if not found.subdomain:
        # https://aka.ms/cogsvc-authenticatewithtoken
        return Stuck(
            "NoCustomSubdomain",
            f"{account.azure_name} has no custom subdomain, so it refuses Entra tokens. Give it"
            f" one: `az cognitiveservices account update --name {account.azure_name}"
            f" --resource-group {account.resource_group} --custom-domain {account.azure_name}`.",
        )
    return None

"""Can this Azure OpenAI account be used by anybody? Asked once for all its chatbots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatbot_operator.account import Account
from chatbot_operator.errors import Pending, Refusal, Stuck
from chatbot_operator.ports import OpenAIAccount, World

KINDS = ("OpenAI", "AIServices")
SETTLING = ("Accepted", "Creating", "Moving", "ResolvingDNS")


async def examine(world: World, account: Account) -> dict[str, Any]:
    """Give what Azure says of the account, for its status; raises the Fault that bars its use."""
    try:
        found = await world.azure.account(account.account_id)
    except Refusal as refusal:
        if refusal.code != "ResourceNotFound":
            raise
        raise Stuck(
            "AccountNotFound",
            f"Azure has no {account.account_id}. Compare it with `az cognitiveservices account show"
            f" --name {account.azure_name} --resource-group {account.resource_group} --query id`;"
            " a deleted account can be restored for 48 hours.",
        ) from refusal
    _require_usable(account, found)
    return facts(account, found)


def facts(account: Account, found: OpenAIAccount) -> dict[str, Any]:
    """Put down what chatbots need to know."""
    endpoint = account.endpoint_override or found.endpoint
    models: list[Mapping[str, str]] = [
        {"name": m.name, "model": m.model, "version": m.version}
        for m in sorted(found.models, key=lambda model: model.name)
    ]
    return {
        "endpoint": f"{endpoint.rstrip('/')}/",
        "location": found.location,
        "deployments": models,
    }


def _require_usable(account: Account, found: OpenAIAccount) -> None:
    if found.kind not in KINDS:
        raise Stuck(
            "NotOpenAI",
            f"{account.azure_name} is of kind {found.kind}; chatbots need {' or '.join(KINDS)}.",
        )
    if found.provisioning_state in SETTLING:
        raise Pending(
            "AccountProvisioning", f"Azure is still making it: {found.provisioning_state}."
        )
    if found.provisioning_state != "Succeeded":
        raise Stuck("AccountNotReady", f"Its provisioning state is {found.provisioning_state}.")
    if not found.subdomain:
        # https://aka.ms/cogsvc-authenticatewithtoken
        raise Stuck(
            "NoCustomSubdomain",
            f"{account.azure_name} has no custom subdomain, so it refuses Entra tokens. Give it"
            f" one: `az cognitiveservices account update --name {account.azure_name}"
            f" --resource-group {account.resource_group} --custom-domain {account.azure_name}`.",
        )

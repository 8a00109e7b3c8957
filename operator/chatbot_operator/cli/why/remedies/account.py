"""Ways out of what an account in Azure is, or is not. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Final

from chatbot_operator.cli.checks import Way
from chatbot_operator.cli.doctor import shipped
from chatbot_operator.cli.why.remedies.known import ANYBODY, AZURE, OWNERS, Known, Remedy, az


def not_in_azure(known: Known) -> Iterator[Way]:
    """The account's resource names what Azure does not have."""
    show = az("cognitiveservices", "account", "list", "--query", "[].id", "-o", "tsv")
    deleted = az("cognitiveservices", "account", "list-deleted", *known.subscription, "-o", "table")
    yield Way(
        OWNERS,
        "compare accountId with what there is. It cannot change: make another AzureOpenAIAccount.",
        (show, deleted),
    )


def look_at_account(known: Known) -> Iterator[Way]:
    """The account's own state says more."""
    why = known.kubectl("chatbot", "why", f"aoai/{known.account_name}")
    yield Way(ANYBODY, "see what the account itself says.", (why,))


def state_in_azure(known: Known) -> Iterator[Way]:
    """Azure's own word for how the account is."""
    show = az("cognitiveservices", "account", "show", *known.of_account, "-o", "json")
    yield Way(AZURE, "look at properties.provisioningState; mend or replace the account.", (show,))


def soft_deleted(known: Known) -> Iterator[Way]:
    """Bring it back."""
    place = known.account.found_location if known.account else ""
    made = az(
        *("cognitiveservices", "account", "recover", *known.of_account),
        *("--location", place or "LOCATION"),
    )
    yield Way(AZURE, "restore the account with its deployments.", (made,))


def network(known: Known) -> Iterator[Way]:
    """Let the cluster's network in."""
    listed = az("cognitiveservices", "account", "network-rule", "list", *known.of_account)
    rule = az(
        *("cognitiveservices", "account", "network-rule", "add", *known.of_account),
        *("--ip-address", "ADDRESS"),
    )
    yield Way(
        AZURE,
        "let the cluster in: by the ADDRESS from which its pods go out, or by a private endpoint.",
        (listed, rule),
    )


def approve(known: Known) -> Iterator[Way]:
    """Approve the private endpoint connection that the finding names."""
    found = re.search(r"Private endpoint connection ([-\w.]+) is ", known.message)
    at = f"{known.account_id}/privateEndpointConnections/{found.group(1) if found else 'NAME'}"
    command = az("network", "private-endpoint-connection", "approve", "--id", at)
    yield Way(AZURE, "approve the connection.", (f"{command} --description approved",))


def close_keys(known: Known) -> Iterator[Way]:
    """Leave the account to identities alone."""
    where = ("--ids", known.account_id or "ACCOUNT_ID")
    command = az("resource", "update", *where, "--set", "properties.disableLocalAuth=true")
    yield Way(AZURE, "close the account to keys; no chatbot uses one.", (command,))


def deployments_of(known: Known) -> Iterator[Way]:
    """See which model deployments there are, in which state."""
    listed = az(
        *("cognitiveservices", "account", "deployment", "list", *known.of_account, "-o", "table")
    )
    yield Way(AZURE, "look at the model deployments; make or mend what is missing.", (listed,))


def models_of(known: Known) -> Iterator[Way]:
    """See which model versions the account may run."""
    yield from deployments_of(known)
    listed = az("cognitiveservices", "account", "list-models", *known.of_account, "-o", "table")
    yield Way(AZURE, "see which versions there are instead.", (listed,))


def less_rights(known: Known) -> Iterator[Way]:
    """Assign the operator what it lacks; see README.md, "Install"."""
    commands = [*known.find_client_id]
    if known.identity_group:
        commands.append(_assign(known, "Managed Identity Contributor", known.identity_group))
    if known.account_id:
        role = "Role Based Access Control Administrator"
        file = shlex.quote(str(shipped.CONDITION))
        limit = f'--condition-version 2.0 --condition "$(cat {file})"'
        commands.append(f"{_assign(known, role, known.account_id)} {limit}")
    yield Way(AZURE, "give the operator's identity the roles that it needs.", tuple(commands))
    doctor = known.kubectl("chatbot", "doctor")
    yield Way(ANYBODY, "compare the rights that it holds with those that it needs.", (doctor,))


def more_rights(known: Known) -> Iterator[Way]:
    """See by which assignments the operator could do more."""
    listed = az(
        *("role", "assignment", "list", "--assignee", known.client_id),
        *("--scope", known.account_id or "ACCOUNT_ID", "--include-inherited", "-o", "table"),
    )
    yield Way(
        AZURE,
        "find the assignments that let it, and take them away.",
        (*known.find_client_id, listed),
    )


def other_kind(known: Known) -> Iterator[Way]:
    """Name an account of the right kind, in another resource: accountId cannot change."""
    query = "[?kind=='OpenAI' || kind=='AIServices'].id"
    listed = az(
        "cognitiveservices", "account", "list", *known.subscription, "--query", query, "-o", "tsv"
    )
    yield Way(OWNERS, "make an AzureOpenAIAccount for one of these instead.", (listed,))


def subdomain(known: Known) -> Iterator[Way]:
    """Give the account the subdomain without which it takes no Entra tokens."""
    name = known.account_id.rpartition("/")[2] or "NAME"
    command = az(
        *("cognitiveservices", "account", "update", *known.of_account, "--custom-domain", name)
    )
    yield Way(AZURE, "give the account a custom subdomain; it keeps it for good.", (command,))


def _assign(known: Known, role: str, scope: str) -> str:
    who = ("--assignee", known.client_id, "--role", role, "--scope", scope)
    return az("role", "assignment", "create", *who)


ACCOUNT: Final[Mapping[str, Remedy]] = {
    "AccountChecking": Remedy(look_at_account, within=60),
    "AccountProvisioning": Remedy(state_in_azure, within=900),
    "AccountNotReady": Remedy(state_in_azure),
    "AccountNotUsable": Remedy(look_at_account),
    "AccountSoftDeleted": Remedy(soft_deleted),
    "NetworkClosed": Remedy(network),
    "NetworkRestricted": Remedy(network),
    "PrivateEndpointNotApproved": Remedy(approve),
    "KeyAccess": Remedy(close_keys),
    "DeploymentMissing": Remedy(deployments_of),
    "DeploymentNotReady": Remedy(deployments_of),
    "ModelRetired": Remedy(models_of),
    "ModelRetiring": Remedy(models_of),
    "HoldsLess": Remedy(less_rights),
    "HoldsMore": Remedy(more_rights),
    "NotOpenAI": Remedy(other_kind),
    "NoCustomSubdomain": Remedy(subdomain),
}

"""Is there more than a chatbot needs, by which somebody else could be it? Nothing is taken away."""

from __future__ import annotations

from collections.abc import Iterable

from chatbot_operator import naming
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.ports import PODS, Assignment, Credential, Identity, Object, World
from chatbot_operator.status import Surplus
from chatbot_operator.steps.workload import pods

NAMED = 10
"""So many pods are named, others counted."""


async def surplus(
    world: World,
    chatbot: Chatbot,
    *,
    account_id: str,
    mine: Identity,
    assigned: Iterable[Assignment],
    credentials: Iterable[Credential],
) -> list[Surplus]:
    """Look for role assignments and credentials of the identity, and pods of the service account.

    `assigned` and `credentials` are those that are known.
    """
    everybody = await world.kubernetes.select(PODS, chatbot.namespace, {})
    own = {pod["metadata"]["name"] for pod in await pods(world, chatbot)}
    return [
        *_of_assignments(assigned, account_id, mine.principal_id),
        *_of_credentials(credentials, naming.subject(chatbot.namespace, chatbot.name)),
        *_of_pods([p for p in everybody if p["metadata"]["name"] not in own], chatbot.name),
    ]


def _of_assignments(
    assigned: Iterable[Assignment], account_id: str, principal_id: str
) -> list[Surplus]:
    needed = (account_id.lower(), naming.OPENAI_USER_ROLE)
    return [
        Surplus(
            "ExtraAssignment",
            f"Role assignment {a.name} on {a.scope} lets the identity do more than the chatbot"
            " needs.",
        )
        for a in assigned
        if a.principal_id.lower() == principal_id.lower()
        and (a.scope.lower(), a.role_definition_id.lower().rpartition("/")[2]) != needed
    ]


def _of_credentials(credentials: Iterable[Credential], subject: str) -> list[Surplus]:
    """Leave out our own, those for issuers before and after this one among them."""
    return [
        Surplus(
            "ExtraCredential",
            f"Federated credential {c.name} lets {c.subject} of {c.issuer} be the identity.",
        )
        for c in credentials
        if (c.name, c.subject) != (naming.credential_name(c.issuer), subject)
    ]


def _of_pods(others: list[Object], service_account: str) -> list[Surplus]:
    names = sorted(
        pod["metadata"]["name"]
        for pod in others
        if pod["spec"].get("serviceAccountName") == service_account
    )
    if not names:
        return []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [
        Surplus(
            "SharedServiceAccount",
            f"With the chatbot's service account, but not its own: pod {', '.join(names[:NAMED])}"
            f"{more}.",
        )
    ]

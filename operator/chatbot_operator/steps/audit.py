"""Is there more than a chatbot needs, by which somebody else could be it? Nothing is taken away."""

from __future__ import annotations

from collections.abc import Iterable

from chatbot_operator import naming
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.ports import PODS, Assignment, Credential, Identity, Object, World
from chatbot_operator.status import Surplus
from chatbot_operator.steps.federation import own, trusted, trusts_the_same
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
    own_pods = {pod["metadata"]["name"] for pod in await pods(world, chatbot)}
    wanted = trusted(chatbot, world.installation)
    others = [c for c in credentials if not own(c, chatbot, world.installation)]
    more = _beyond(assigned, account_id, mine.principal_id)
    if chatbot.existing:
        others = [c for c in others if not trusts_the_same(c, wanted)]
        in_azure = [*_of_shared_roles(more), *_of_shared_credentials(others)]
    else:
        in_azure = [*_of_assignments(more), *_of_credentials(others)]
    strangers = [p for p in everybody if p["metadata"]["name"] not in own_pods]
    return [*in_azure, *_of_pods(strangers, chatbot.name)]


def _beyond(assigned: Iterable[Assignment], account_id: str, principal_id: str) -> list[Assignment]:
    """Give the identity's assignments but for the one role on the one account."""
    needed = (account_id.lower(), naming.OPENAI_USER_ROLE)
    return [
        a
        for a in assigned
        if a.principal_id.lower() == principal_id.lower()
        and (a.scope.lower(), a.role_definition_id.lower().rpartition("/")[2]) != needed
    ]


def _of_shared_roles(more: Iterable[Assignment]) -> list[Surplus]:
    """Say what an identity that others made can do besides: theirs to judge, the team's to know."""
    return [
        Surplus(
            "SharedIdentity",
            f"The chatbot can do what role assignment {a.name} on {a.scope} lets its identity do.",
        )
        for a in more
    ]


def _of_shared_credentials(others: Iterable[Credential]) -> list[Surplus]:
    return [
        Surplus(
            "SharedIdentity",
            f"By federated credential {c.name}, {c.subject} of {c.issuer} may be the identity.",
        )
        for c in others
    ]


def _of_assignments(more: Iterable[Assignment]) -> list[Surplus]:
    return [
        Surplus(
            "ExtraAssignment",
            f"Role assignment {a.name} on {a.scope} lets the identity do more than the chatbot"
            " needs.",
        )
        for a in more
    ]


def _of_credentials(others: Iterable[Credential]) -> list[Surplus]:
    return [
        Surplus(
            "ExtraCredential",
            f"Federated credential {c.name} lets {c.subject} of {c.issuer} be the identity.",
        )
        for c in others
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

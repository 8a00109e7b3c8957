"""May this chatbot use the account it names? Nothing is made before the answer is yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Denied, Pending
from chatbot_operator.limits import Limits, Use
from chatbot_operator.ports import ACCOUNTS, NAMESPACES, Installation, World


async def permission(world: World, chatbot: Chatbot) -> Account:
    """Read account and namespace, live, and give the account; raises the Fault that forbids it."""
    body = await world.kubernetes.get(ACCOUNTS, "", chatbot.account)
    if body is None:
        raise Denied(
            "AccountNotFound",
            f"There is no AzureOpenAIAccount {chatbot.account}. `kubectl get aoai` lists them;"
            " those who run the platform make them.",
        )
    namespace = await world.kubernetes.get(NAMESPACES, "", chatbot.namespace)
    if namespace and "deletionTimestamp" in namespace["metadata"]:
        raise Pending("NamespaceLeaving", f"Namespace {chatbot.namespace} is being deleted.")
    labels = namespace["metadata"].get("labels", {}) if namespace else {}
    account = Account.parse(body)
    account.permit(_use(chatbot, labels, world.installation))
    return account


def _use(chatbot: Chatbot, labels: Mapping[str, str], installation: Installation) -> Use:
    return Use(
        namespace=chatbot.namespace,
        labels=labels,
        deployment=chatbot.deployment,
        image="" if chatbot.image == installation.image else chatbot.image,
        service_type=chatbot.service_type,
        anonymous=chatbot.exposure.anonymous(chatbot.service_type, installation.tenant_id),
    )


def capped(chatbot: Chatbot, limits: Limits) -> Chatbot:
    """Give the chatbot as far as it may run: with no more pods than its account allows."""
    cap, scaled = limits.cap, chatbot.autoscaling
    if scaled is not None:
        scaled = replace(scaled, least=cap(scaled.least), most=cap(scaled.most))
    return replace(chatbot, replicas=cap(chatbot.replicas), autoscaling=scaled)


def allowance(account: Account, chatbot: Chatbot) -> str:
    """Say in words what the account allows of what the chatbot asks for."""
    said = f"AzureOpenAIAccount {account.name} allows it."
    most = account.limits.cap(chatbot.most_pods)
    if most < chatbot.most_pods:
        said += f" It allows {most} replicas at most, so {most} of {chatbot.most_pods} run."
    return said

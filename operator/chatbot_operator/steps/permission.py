"""May this chatbot use the account it names? Nothing is made before the answer is yes."""

from __future__ import annotations

from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Stuck
from chatbot_operator.ports import ACCOUNTS, NAMESPACES, World


async def permission(world: World, chatbot: Chatbot) -> Account:
    """Read account and namespace, live, and give the account; raises the Fault that forbids it."""
    body = await world.kubernetes.get(ACCOUNTS, "", chatbot.account)
    if body is None:
        raise Stuck(
            "AccountNotFound",
            f"There is no AzureOpenAIAccount {chatbot.account}. `kubectl get aoai` lists them;"
            " those who run the platform make them.",
        )
    namespace = await world.kubernetes.get(NAMESPACES, "", chatbot.namespace)
    labels = namespace["metadata"].get("labels", {}) if namespace else {}
    account = Account.parse(body)
    account.permit(chatbot.namespace, labels, chatbot.deployment)
    return account

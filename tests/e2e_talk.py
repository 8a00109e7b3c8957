"""Chatbots of the tests that run the whole chain, and how they are asked."""

from __future__ import annotations

import asyncio

from sandbox.azure.settings import SUBSCRIPTION
from sandbox.conversation import ask

GROUP = "chatbot-operator.dev/v1alpha1"
ACCOUNT_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/openai"
    "/providers/Microsoft.CognitiveServices/accounts/contoso"
)


def chatbot(namespace, name="support", **spec):
    return {
        "apiVersion": GROUP,
        "kind": "AzureOpenAIChatbot",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "openAI": {"account": "contoso", "deployment": "gpt-4o"},
            "chat": {"systemPrompt": "You are Ada's 🤖 assistant."},
            **spec,
        },
    }


def answer(url, *turns):
    """Ask with the whole conversation so far, as a browser does."""
    roles = ("user", "assistant")
    conversation = [{"role": roles[n % 2], "content": text} for n, text in enumerate(turns)]

    async def collect():
        return "".join([piece async for piece in ask(url, conversation)])

    return asyncio.run(collect())

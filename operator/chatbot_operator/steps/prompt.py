"""What the model is told, where it stands in a ConfigMap of the team's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Stuck
from chatbot_operator.ports import CONFIG_MAPS, World

LONGEST: Final = 65536
"""Characters of a prompt, wherever it stands: as many as `spec.chat.systemPrompt` takes."""


async def prompted(world: World, chatbot: Chatbot) -> Chatbot:
    """Give the chatbot with its prompt, read live from its own namespace.

    Raises the Fault that says why there is none.
    """
    source = chatbot.chat.prompt_from
    if source is None:
        return chatbot
    name, key = source
    found = await world.kubernetes.get(CONFIG_MAPS, chatbot.namespace, name)
    data = found.get("data", {}) if found else {}
    if key not in data:
        what = f"ConfigMap {name} has no key {key}" if found else f"There is no ConfigMap {name}"
        raise Stuck(
            "PromptNotFound",
            f"{what} in namespace {chatbot.namespace}, which spec.chat.systemPromptFrom names."
            " Create it, or name another.",
        )
    text: str = data[key]
    if len(text) > LONGEST:
        raise Stuck(
            "PromptTooLong",
            f"Key {key} of ConfigMap {name} has {len(text)} characters; a prompt has {LONGEST} at"
            " most. Shorten it.",
        )
    return replace(chatbot, chat=replace(chatbot.chat, system_prompt=text))

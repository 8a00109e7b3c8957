"""A prompt that stands in a ConfigMap of the team's own."""

from __future__ import annotations

import pytest
from chatbot_operator.ports import CHATBOTS, CONFIG_MAPS, DEPLOYMENTS
from cluster_world import chatbot, key, path

SOURCE = {"systemPromptFrom": {"configMapKeyRef": {"name": "prompts", "key": "support"}}}


async def write(hand, namespace, data):
    body = {"metadata": {"name": "prompts"}, "data": data}
    await hand.api.post(path(CONFIG_MAPS, namespace), body)


async def template(hand, namespace):
    return (await hand.get(DEPLOYMENTS, namespace))["spec"]["template"]


async def test_a_prompt_of_the_teams_own_reaches_the_pods_and_rolls_them(operator, hand, namespace):
    await write(hand, namespace, {"support": "Be kind. 🙂"})
    await hand.create(chatbot(namespace, chat=SOURCE))
    await operator.settle(key(namespace))
    assert (await hand.get(CONFIG_MAPS, namespace))["data"]["system-prompt"] == "Be kind. 🙂"
    before = await template(hand, namespace)
    (container,) = before["spec"]["containers"]
    assert "SYSTEM_PROMPT_FILE" in {entry["name"] for entry in container["env"]}
    await hand.edit(CONFIG_MAPS, namespace, {"data": {"support": "Be brief."}}, "prompts")
    await operator.settle(key(namespace))
    assert (await hand.get(CONFIG_MAPS, namespace))["data"]["system-prompt"] == "Be brief."
    assert await template(hand, namespace) != before


@pytest.mark.parametrize(
    ("data", "reason", "said"),
    [
        (None, "PromptNotFound", "There is no ConfigMap prompts"),
        ({"other": "x"}, "PromptNotFound", "has no key support"),
        ({"support": "x" * 65537}, "PromptTooLong", "65537 characters"),
    ],
    ids=["no ConfigMap", "no key", "too long"],
)
async def test_nothing_is_made_for_a_new_chatbot_without_its_prompt(
    *, operator, hand, azure, namespace, data, reason, said
):
    if data:
        await write(hand, namespace, data)
    mark = await azure.mark()
    await hand.create(chatbot(namespace, chat=SOURCE))
    fault = await operator.refused(key(namespace))
    assert fault.reason == reason
    assert said in fault.message
    ready = (await hand.conditions(namespace))["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", reason)
    assert await hand.children(namespace) == {}
    assert await azure.writes(mark) == []
    if data:
        await hand.edit(CONFIG_MAPS, namespace, {"data": {"support": "Be kind."}}, "prompts")
    else:
        await write(hand, namespace, {"support": "Be kind."})
    await operator.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


async def test_a_chatbot_that_serves_goes_on_with_the_prompt_it_has(operator, hand, namespace):
    await write(hand, namespace, {"support": "Be kind."})
    await hand.create(chatbot(namespace, chat=SOURCE))
    await operator.settle(key(namespace))
    before = await template(hand, namespace)
    await hand.delete(CONFIG_MAPS, namespace, "prompts")
    fault = await operator.refused(key(namespace))
    assert fault.reason == "PromptNotFound"
    conditions = await hand.conditions(namespace)
    assert conditions["WorkloadReady"]["reason"] == "PromptNotFound"
    assert conditions["RoleAssigned"]["status"] == "True"
    assert await template(hand, namespace) == before
    assert (await hand.get(CONFIG_MAPS, namespace))["data"]["system-prompt"] == "Be kind."
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await hand.children(namespace) == {}

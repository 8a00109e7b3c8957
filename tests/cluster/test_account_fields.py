"""What the platform team changes in an account reaches what it is about, and can be taken back."""

from __future__ import annotations

import existing_identities
import pytest
from account_fields import FIELDS, Scene, reaches
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from chatbot_operator.reconcile import Key
from cluster_world import account, chatbot, key, path

JSON_PATCH = "application/json-patch+json"
PASSES = 3


async def say(operator, hand, name, spec):
    """Let the account say this and nothing else beside its id, and let the operator read it."""
    patch = [{"op": "replace", "path": "/spec", "value": account(name, **spec)["spec"]}]
    await hand.api.patch(path(ACCOUNTS, "", name), patch, kind=JSON_PATCH)
    await operator.look(Key(ACCOUNTS, "", name))


@pytest.mark.parametrize("field", FIELDS)
async def test_a_field_reaches_what_it_is_about(*, operator, hand, azure, namespace, offer, field):
    theirs = await existing_identities.make(azure)
    reach = reaches(Scene(namespace, theirs.id))[field]
    name, found = await offer(**reach.first), []
    await hand.create(chatbot(namespace, account=name, **reach.chatbot))
    for spec in (reach.first, reach.then, reach.first):
        await say(operator, hand, name, spec)
        for _ in range(PASSES):
            await operator.look(key(namespace))
            await hand.roll_out(namespace, "support")
        found.append(await reach.sees.look(hand, azure, namespace))
    assert tuple(found) == reach.found
    for kind, at in ((ACCOUNTS, ("", name)), (CHATBOTS, (namespace,))):
        live = await hand.get(kind, *at)
        assert live["status"]["observedGeneration"] == live["metadata"]["generation"]

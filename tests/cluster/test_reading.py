"""What it costs to look at Azure: lists for all, two reads for each, and nothing is written."""

from __future__ import annotations

from collections import Counter

from cluster_world import ASSIGNMENTS, IDENTITIES, SUBSCRIPTION_ID, Operator, chatbot, key
from sandbox.bootstrap import ACCOUNT_ID

COUNT = 8
NAMES = [f"bot-{number}" for number in range(COUNT)]


def kind(entry):
    """What of Azure an entry of the ledger is about."""
    at = entry["path"].lower().rstrip("/")
    if at == IDENTITIES.lower():
        return "list identities"
    if at == ASSIGNMENTS.lower():
        return "list assignments"
    if at.endswith("/federatedidentitycredentials"):
        return "list credentials"
    if at == ASSIGNMENTS.replace(ACCOUNT_ID, SUBSCRIPTION_ID).lower():
        return "list the subscription"
    if "/federatedidentitycredentials/" in at:
        return "credential"
    return at.removeprefix(ACCOUNT_ID.lower())


async def asked(azure, mark):
    entries = [e for e in await azure.ledger(mark) if e["plane"] == "arm"]
    assert {e["method"] for e in entries} <= {"GET"}
    return Counter(kind(entry) for entry in entries)


async def test_chatbots_at_rest_cost_lists_and_two_reads_each_and_a_restart_lists_only(
    *, operator, hand, azure, audit, namespace, clock
):
    for name in NAMES:
        await hand.create(chatbot(namespace, name))
    for name in NAMES:
        await operator.settle(key(namespace, name))
    period, log = operator.world.installation.resync, audit.mark()
    clock.ahead += period
    mark = await azure.mark()
    for _ in range(2):
        for name in NAMES:
            await operator.look(key(namespace, name))
    lists = {"list identities": 1, "list assignments": 1}
    each = {"credential": COUNT, "list credentials": COUNT}
    assert await asked(azure, mark) == {**lists, **each}
    restarted = Operator(operator.world, hand)
    mark = await azure.mark()
    for name in NAMES:
        await restarted.look(key(namespace, name))
    assert await asked(azure, mark) == lists
    mark = await azure.mark()
    for _ in range(12):
        clock.ahead += period / 12
        for name in NAMES:
            await restarted.look(key(namespace, name))
    spread = await asked(azure, mark)
    assert each.items() <= spread.items()
    assert spread.pop("list the subscription") == 1, "refused, and not asked again"
    assert spread.keys() <= {*lists, *each}
    assert not audit.writes(log, namespace)

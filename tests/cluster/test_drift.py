"""What a hand changes or takes away is put back; what others add is left alone."""

from __future__ import annotations

import pytest
from chatbot_operator.ports import (
    CHATBOTS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from cluster_world import ASSIGNMENTS, CHILDREN, identity_path, key

CLIENT = "azure.workload.identity/client-id"


def stable(children):
    """What an owner of the objects cares about."""
    return {
        kind: {
            "labels": child["metadata"]["labels"],
            "annotations": child["metadata"].get("annotations"),
            "owners": child["metadata"]["ownerReferences"],
            "spec": {k: v for k, v in child.get("spec", {}).items() if "clusterIP" not in k},
            "data": child.get("data"),
            "token": child.get("automountServiceAccountToken"),
        }
        for kind, child in children.items()
    }


@pytest.mark.parametrize("resource", CHILDREN, ids=lambda r: r.plural)
async def test_a_deleted_object_comes_back(operator, hand, settled, resource):
    before = stable(await hand.children(settled))
    await hand.delete(resource, settled)
    await operator.settle(key(settled))
    assert stable(await hand.children(settled)) == before
    assert (await hand.conditions(settled))["Ready"]["status"] == "True"


TEMPLATE = {"spec": {"template": {"spec": {"automountServiceAccountToken": True}}}}


@pytest.mark.parametrize(
    ("resource", "patch"),
    [
        (SERVICE_ACCOUNTS, {"metadata": {"annotations": {CLIENT: "somebody-else"}}}),
        (SERVICE_ACCOUNTS, {"metadata": {"annotations": {CLIENT: None}}}),
        (SERVICE_ACCOUNTS, {"automountServiceAccountToken": True}),
        (SERVICE_ACCOUNTS, {"metadata": {"labels": {"app.kubernetes.io/name": "other"}}}),
        (CONFIG_MAPS, {"data": {"system-prompt": "Be rude."}}),
        (CONFIG_MAPS, {"data": {"system-prompt": None}}),
        (SERVICES, {"spec": {"selector": {"app.kubernetes.io/instance": "other"}}}),
        (SERVICES, {"spec": {"type": "NodePort"}}),
        (DEPLOYMENTS, {"spec": {"replicas": 3}}),
        (DEPLOYMENTS, TEMPLATE),
        (DEPLOYMENTS, {"metadata": {"labels": {"app.kubernetes.io/instance": None}}}),
    ],
    ids=lambda value: getattr(value, "plural", None) or str(value)[-48:],
)
async def test_an_edited_object_is_put_right(operator, hand, settled, resource, patch):
    before = stable(await hand.children(settled))
    await hand.edit(resource, settled, patch)
    assert stable(await hand.children(settled)) != before
    await operator.settle(key(settled))
    after = stable(await hand.children(settled))
    for child in (before, after):
        child["Deployment"]["annotations"].pop("deployment.kubernetes.io/revision")
        child["Service"]["spec"]["ports"][0].pop("nodePort", None)
        child["Service"]["spec"].pop("externalTrafficPolicy", None)
    assert after == before


async def test_what_others_add_to_our_objects_stays(operator, hand, settled):
    note = {"metadata": {"annotations": {"example.com/note": "kept"}, "labels": {"team": "a"}}}
    for resource in CHILDREN:
        await hand.edit(resource, settled, note)
    await operator.settle(key(settled))
    for child in (await hand.children(settled)).values():
        assert child["metadata"]["annotations"]["example.com/note"] == "kept"
        assert child["metadata"]["labels"]["team"] == "a"


async def test_a_new_prompt_rolls_the_pods(operator, hand, settled):
    before = (await hand.get(DEPLOYMENTS, settled))["spec"]["template"]
    await hand.edit(CHATBOTS, settled, {"spec": {"chat": {"systemPrompt": "Be brief."}}})
    await operator.settle(key(settled))
    assert (await hand.get(CONFIG_MAPS, settled))["data"]["system-prompt"] == "Be brief."
    assert (await hand.get(DEPLOYMENTS, settled))["spec"]["template"] != before


async def test_settings_that_are_taken_away_leave_the_pods(operator, hand, settled):
    await hand.edit(CHATBOTS, settled, {"spec": {"openAI": {"temperature": 0.5}}})
    await operator.settle(key(settled))
    assert "TEMPERATURE" in await names(hand, settled)
    await hand.edit(CHATBOTS, settled, {"spec": {"openAI": {"temperature": None}}})
    await operator.settle(key(settled))
    assert "TEMPERATURE" not in await names(hand, settled)


async def names(hand, namespace):
    (container,) = (await hand.get(DEPLOYMENTS, namespace))["spec"]["template"]["spec"][
        "containers"
    ]
    return [variable["name"] for variable in container["env"]]


def resync(operator, clock):
    """As long later as Azure is believed."""
    clock.ahead += 2 * operator.world.installation.resync


async def test_a_deleted_role_assignment_comes_back(operator, hand, azure, settled, clock):
    (before,) = await azure.described(settled)
    await azure.done("DELETE", f"{ASSIGNMENTS}/{before['name']}")
    resync(operator, clock)
    await operator.settle(key(settled))
    (after,) = await azure.described(settled)
    assert after["name"] == before["name"]


@pytest.mark.parametrize("how", ["deleted", "edited"])
async def test_a_credential_is_put_right(*, operator, hand, azure, settled, clock, how):
    identity = await azure.identity(settled)
    (before,) = identity["credentials"]
    if how == "deleted":
        await azure.done("DELETE", before["id"])
    else:
        slip = {"issuer": before["issuer"].rstrip("/"), "subject": before["subject"]}
        properties = {**slip, "audiences": [before["audience"]]}
        await azure.done("PUT", before["id"], {"properties": properties})
    resync(operator, clock)
    await operator.settle(key(settled))
    assert (await azure.identity(settled))["credentials"] == [before]


async def test_tags_of_others_survive_and_ours_are_put_back(operator, hand, azure, settled, clock):
    at = identity_path(operator.world.installation, settled)
    before = await azure.identity(settled)
    theirs = {"cost-center": "42", "CreatedBy": "policy"}
    await azure.done("PATCH", at, {"tags": {**before["tags"], **theirs}})
    mark = await azure.mark()
    resync(operator, clock)
    await operator.settle(key(settled))
    assert not await azure.writes(mark)
    assert (await azure.identity(settled))["tags"] == {**before["tags"], **theirs}


async def test_a_deleted_identity_is_made_again_and_the_old_grant_removed(
    operator, hand, azure, settled, clock
):
    before = await azure.identity(settled)
    await azure.done("DELETE", before["id"])
    resync(operator, clock)
    await operator.settle(key(settled))
    after = await azure.identity(settled)
    assert after["principal_id"] != before["principal_id"]
    assert len(after["credentials"]) == 1
    (assignment,) = await azure.described(settled)
    assert assignment["principal_id"] == after["principal_id"]
    account = await hand.get(SERVICE_ACCOUNTS, settled)
    assert account["metadata"]["annotations"][CLIENT] == after["client_id"]
    assert (await hand.conditions(settled))["Ready"]["status"] == "True"


async def test_the_old_grant_of_a_deleted_identity_is_removed_although_azure_refused_once(
    operator, hand, azure, settled, clock
):
    before = await azure.identity(settled)
    await azure.done("DELETE", before["id"])
    await azure.fault(
        action="respond", method="DELETE", path="roleAssignments", status=500, times=2
    )
    resync(operator, clock)
    await operator.settle(key(settled))
    after = await azure.identity(settled)
    (assignment,) = await azure.described(settled)
    assert assignment["principal_id"] == after["principal_id"]


async def test_edits_that_return_to_the_start_return_to_its_end(operator, hand, settled):
    before = stable(await hand.children(settled))
    for prompt in ("B", "Be kind."):
        await hand.edit(CHATBOTS, settled, {"spec": {"chat": {"systemPrompt": prompt}}})
        await operator.look(key(settled))
    await operator.settle(key(settled))
    after = stable(await hand.children(settled))
    for child in (before, after):
        child["Deployment"]["annotations"].pop("deployment.kubernetes.io/revision")
    assert after == before

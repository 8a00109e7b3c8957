"""`kubectl chatbot orphans` on leftovers made in every way that the operator knows."""

from __future__ import annotations

import asyncio
import copy
import json
from dataclasses import replace
from uuid import uuid4

import existing_identities
import pytest
from chatbot_operator import naming
from chatbot_operator.ports import CHATBOTS, DEPLOYMENTS, NAMESPACES
from cluster_world import IDENTITIES, chatbot, key, path
from lives import console, deployed, strip
from sandbox.azure import settings as fixed
from sandbox.cluster.control_plane import kubeconfig

__all__ = ["console", "deployed"]


async def come_up(operator, hand, namespace, name="support", **spec):
    await hand.create(chatbot(namespace, name, **spec))
    await operator.settle(key(namespace, name))


def rows(ended):
    return [
        (each["kind"], each["chatbot"], each["why"], each["retained"])
        for each in ended.document["orphans"]
    ]


async def orphans(console, namespace, *words):
    return await console.inside("orphans", "-n", namespace, "-o", "json", *words)


@pytest.fixture
async def left(*, operator, hand, azure, namespace, offer, deployed):
    """A namespace with a chatbot that lives, and with what is left of others."""
    theirs = await existing_identities.make(azure)
    listing = await offer(identity={"existing": [theirs.listed]})
    await come_up(operator, hand, namespace, "alive")
    await come_up(operator, hand, namespace, "stripped")
    await come_up(operator, hand, namespace, "anew")
    await come_up(operator, hand, namespace, "kept", deletionPolicy="Retain")
    shared = {"account": listing, "identity": {"existing": theirs.name}}
    await come_up(operator, hand, namespace, "shared", **shared)
    await come_up(operator, hand, namespace, "sharing", **shared)
    await hand.delete(CHATBOTS, namespace, "kept")
    await operator.settle(key(namespace, "kept"))
    for name in ("stripped", "anew", "shared"):
        await strip(hand, namespace, name)
    await hand.create(chatbot(namespace, "anew"))
    return namespace, theirs


DENIED = {"action": "respond", "status": 403, "code": "AuthorizationFailed"}
LEFT = [
    ("RoleAssignment", "anew", "AnotherLife", False),
    ("RoleAssignment", "stripped", "ChatbotGone", False),
    ("Credential", "shared", "ChatbotGone", False),
    ("Identity", "anew", "AnotherLife", False),
    ("Identity", "stripped", "ChatbotGone", False),
]


async def test_what_is_left_is_listed_and_only_that_is_deleted(*, console, azure, left, hand):
    namespace, theirs = left
    mark = await azure.mark()
    listed = await orphans(console, namespace)
    assert (listed.code, rows(listed)) == (1, LEFT)
    assert listed.document["retained"] == 1
    by_name = {(e["kind"], e["chatbot"]): e for e in listed.document["orphans"]}
    identity = by_name["Identity", "stripped"]
    assert identity["usable"]
    assert len(identity["roles"]) == len(identity["credentials"]) == 1
    assert not any(each["barred"] for each in listed.document["orphans"])
    refused = await orphans(console, namespace, "--delete")
    assert (refused.code, "--yes" in refused.document["unanswered"]) == (2, True)
    declined = await console.at_terminal("orphans", "-n", namespace, "--delete", typed="4")
    assert (declined.code, "Type 5" in declined.error) == (1, True)
    assert await azure.writes(mark) == [], "nothing without being told to"
    before = await theirs.read(), await azure.assignments(theirs.principal_id)
    others = {i["id"] for i in (await azure.state())["identities"]}
    done = await console.at_terminal("orphans", "-n", namespace, "--delete", typed="5")
    assert done.code == 0, done
    assert "5 things deleted, 0 left." in done.out
    writes = await azure.writes(mark)
    assert {w["method"] for w in writes} == {"DELETE"}
    wanted = {each["id"].lower() for each in listed.document["orphans"]}
    assert {w["path"].lower() for w in writes} == wanted
    assert [w["path"].lower() for w in writes] == [
        each["id"].lower() for each in listed.document["orphans"]
    ], "assignments before identities"
    assert (await theirs.read(), await azure.assignments(theirs.principal_id)) == before
    now = {i["id"] for i in (await azure.state())["identities"]}
    assert len(others - now) == 2
    (credential,) = await theirs.ours()
    assert credential["name"].startswith(f"cb-{namespace}-sharing-")
    empty = await console("orphans", "-n", namespace)
    assert (empty.code, "Nothing is left over." in empty.out) == (0, True), empty
    assert "1 retained on purpose" in empty.out
    kept = await orphans(console, namespace, "--retained")
    assert (kept.code, rows(kept)) == (1, [("Identity", "kept", "ChatbotGone", True)])
    gone = await orphans(console, namespace, "--retained", "--delete", "--yes")
    assert (gone.code, len(gone.document["deleted"])) == (0, 1)


async def test_a_namespace_that_was_taken_by_force(*, console, operator, hand, deployed):
    name = f"t-{uuid4().hex[:8]}"
    await hand.api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    await come_up(operator, hand, name)
    await hand.edit(CHATBOTS, name, {"metadata": {"finalizers": None}})
    await hand.api.delete(path(NAMESPACES, "", name))
    async with asyncio.timeout(60):
        while await hand.get(NAMESPACES, "", name):
            await asyncio.sleep(0.1)
    found = await orphans(console, name)
    assert rows(found) == [
        ("RoleAssignment", "support", "NamespaceGone", False),
        ("Identity", "support", "NamespaceGone", False),
    ]
    refused = await orphans(console, name, "--delete", "--yes")
    assert (refused.code, "about to be restored" in refused.document["unanswered"]) == (2, True)
    owner = operator.world.installation.cluster
    assert (await orphans(console, name, "--delete", "--yes", "--owner", owner)).code == 0


@pytest.fixture
async def may_write(hand):
    """The right of an operator, for the service account of the Deployment as it stands."""
    api, name = "/apis/rbac.authorization.k8s.io/v1", f"operator-{uuid4().hex[:8]}"
    status = {"apiGroups": [CHATBOTS.group], "resources": ["azureopenaiaccounts/status"]}
    role = {"metadata": {"name": name}, "rules": [{**status, "verbs": ["patch"]}]}
    who = {"kind": "ServiceAccount", "name": "default", "namespace": "chatbot-operator"}
    to = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    await hand.api.post(f"{api}/clusterroles", role)
    await hand.api.post(
        f"{api}/clusterrolebindings",
        {"metadata": {"name": name}, "subjects": [who], "roleRef": to},
    )
    yield
    await hand.api.delete(f"{api}/clusterrolebindings/{name}")
    await hand.api.delete(f"{api}/clusterroles/{name}")


async def test_a_deployment_that_looks_like_an_operator_is_none_beside_one(
    *, console, hand, azure, namespace, deployed, may_write
):
    owner = naming.Owner(f"elsewhere-{namespace}", namespace, "support", str(uuid4()))
    at = f"{IDENTITIES}/{naming.identity_name(owner)}"
    await azure.done("PUT", at, {"location": fixed.LOCATION, "tags": owner.tags})
    forged = copy.deepcopy(deployed)
    forged["metadata"] |= {"namespace": namespace}
    (container,) = forged["spec"]["template"]["spec"]["containers"]
    container["env"].append({"name": "OWNER_ID", "value": owner.cluster})
    await hand.api.post(path(DEPLOYMENTS, namespace), forged)
    ended = await orphans(console, namespace)
    assert (ended.code, rows(ended)) == (0, []), ended
    await hand.api.delete(path(DEPLOYMENTS, namespace, "chatbot-operator"))
    await azure.done("DELETE", at)


async def test_what_others_made_is_listed_by_their_name_and_deleted_by_it(
    *, console, operator, hand, azure, namespace, deployed
):
    owner = naming.Owner(f"elsewhere-{namespace}", namespace, "support", str(uuid4()))
    at = f"{IDENTITIES}/{naming.identity_name(owner)}"
    await azure.done("PUT", at, {"location": fixed.LOCATION, "tags": owner.tags})
    assert (await orphans(console, namespace)).code == 0
    (seen,) = (await orphans(console, namespace, "--owner", "all")).document["orphans"]
    assert (seen["why"], seen["owner"]) == ("OtherOwner", owner.cluster)
    assert "name it by --owner" in seen["barred"]
    refused = await orphans(console, namespace, "--owner", "all", "--delete", "--yes")
    assert (refused.code, await azure.identity(namespace) is None) == (2, False)
    done = await orphans(console, namespace, "--owner", owner.cluster, "--delete", "--yes")
    assert (done.code, await azure.identities(namespace)) == (0, [])


async def test_what_trusts_another_clusters_tokens_may_be_its(
    *, console, operator, hand, azure, settled, deployed
):
    await strip(hand, settled)
    await hand.create(chatbot(settled, "alive"))
    identity = await azure.identity(settled)
    for each in identity["credentials"]:
        await azure.done("DELETE", each["id"])
    issuer = "https://other.example/"
    credential = naming.credential_name(issuer)
    trust = {
        "issuer": issuer,
        "subject": naming.subject(settled, "support"),
        "audiences": ["api://AzureADTokenExchange"],
    }
    where = f"{identity['id']}/federatedIdentityCredentials/{credential}"
    await azure.done("PUT", where, {"properties": trust})
    found = await orphans(console, settled, "--delete", "--yes")
    assert found.code == 1
    assert await azure.identity(settled)
    assert all(issuer in each["barred"] for each in found.document["orphans"])
    cluster = operator.world.installation.cluster
    done = await orphans(console, settled, "--owner", cluster, "--delete", "--yes")
    assert (done.code, await azure.identities(settled)) == (0, [])


async def test_a_deletion_that_fails_stops_no_other_and_is_made_up_for(
    *, console, hand, azure, settled, deployed
):
    await strip(hand, settled)
    await hand.create(chatbot(settled, "alive"))
    await azure.fault(**DENIED, method="DELETE", path="roleAssignments")
    tried = await orphans(console, settled, "--delete", "--yes")
    assert tried.code == 1, tried
    (trouble,) = tried.document["notDeleted"]
    assert "you may not delete it" in trouble["trouble"]
    assert await azure.identities(settled) == [], "the identity goes all the same"
    await azure.heal()
    left = await orphans(console, settled)
    assert rows(left) == [("RoleAssignment", "support", "ChatbotGone", False)]
    assert not left.document["orphans"][0]["usable"]
    assert (await orphans(console, settled, "--delete", "--yes")).code == 0
    assert await azure.described(settled) == []


async def test_whoever_may_not_see_the_chatbots_sees_nothing_gone(
    *, console, kubectl, control_plane, authority, settled, hand, deployed, tmp_path
):
    await strip(hand, settled)
    kubectl("create", "serviceaccount", "nobody", "-n", settled)
    token = kubectl("create", "token", "nobody", "-n", settled).strip()
    reach = kubeconfig(control_plane.server, authority, user="nobody", credential={"token": token})
    (tmp_path / "nobody").write_text(json.dumps(reach))
    nobody = replace(
        console, environment={**console.environment, "KUBECONFIG": str(tmp_path / "nobody")}
    )
    ended = await orphans(nobody, settled)
    assert ended.code == 2
    assert "You may not list azureopenaichatbots in all namespaces" in ended.document["unanswered"]


async def test_a_group_that_may_not_be_read_is_never_empty(
    *, console, azure, namespace, deployed, operator
):
    await azure.fault(**DENIED, method="GET", path="userAssignedIdentities$")
    ended = await orphans(console, namespace)
    assert ended.code == 2
    assert "notKnown" in ended.document, ended
    (gap,) = [g for g in ended.document["notKnown"] if "identities of" in g["name"]]
    assert "Microsoft.ManagedIdentity/userAssignedIdentities/read" in gap["found"]

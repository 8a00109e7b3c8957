"""Who may use which account: without a yes nothing is made, in Azure or in the cluster."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from azure_bodies import deploy, manage
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from chatbot_operator.reconcile import Key
from cluster_world import ACCOUNT_ID, SUBSCRIPTION_ID, account, chatbot, key
from sandbox import bootstrap
from sandbox.azure import settings as fixed


async def denied(operator, hand, azure, namespace, name, **spec):
    """Apply a chatbot that must not get anything; its fault."""
    mark = await azure.mark()
    await hand.create(chatbot(namespace, account=name, **spec))
    fault = await operator.refused(key(namespace))
    assert not await azure.writes(mark)
    assert await hand.children(namespace) == {}
    conditions = await hand.conditions(namespace)
    assert conditions["Permitted"]["reason"] == fault.reason
    assert conditions["Ready"]["status"] == "False"
    assert conditions["Ready"]["message"] == fault.message
    assert conditions["Stalled"]["status"] == "True"
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await hand.get(CHATBOTS, namespace) is None
    assert not await azure.writes(mark)
    return fault


async def test_an_account_that_is_not_there(operator, hand, azure, namespace):
    fault = await denied(operator, hand, azure, namespace, "missing")
    assert fault.reason == "AccountNotFound"
    assert "kubectl get aoai" in fault.message


@pytest.mark.parametrize(
    "allowed",
    [{}, {"names": ["others"]}, {"selector": {"matchLabels": {"team": "payments"}}}],
    ids=["nobody", "names", "selector"],
)
async def test_a_namespace_that_is_not_allowed(*, operator, hand, azure, namespace, offer, allowed):
    name = await offer(allowedNamespaces=allowed)
    fault = await denied(operator, hand, azure, namespace, name)
    assert fault.reason == "NamespaceNotAllowed"
    assert f"does not allow namespace {namespace}" in fault.message


async def test_a_deployment_that_is_not_allowed(operator, hand, azure, namespace, offer):
    name = await offer(deployments=["gpt-4o-mini"])
    fault = await denied(operator, hand, azure, namespace, name)
    assert fault.reason == "DeploymentNotAllowed"
    assert "gpt-4o-mini" in fault.message


async def test_a_deployment_that_does_not_exist(operator, hand, azure, namespace):
    spec = {"openAI": {"deployment": "gpt-5"}}
    fault = await denied(operator, hand, azure, namespace, "contoso", **spec)
    assert fault.reason == "DeploymentNotFound"
    assert "gpt-4o, gpt-4o-mini" in fault.message


async def test_a_deployment_that_answers_no_chats(operator, hand, azure, namespace, offer):
    deployment = f"embed-{uuid4().hex[:6]}"
    model = {"format": "OpenAI", "name": "text-embedding-3-small", "version": "1"}
    body = {"sku": {"name": "Standard", "capacity": 1}, "properties": {"model": model}}
    await azure.done("PUT", f"{ACCOUNT_ID}/deployments/{deployment}", body)
    name, spec = await offer(), {"openAI": {"deployment": deployment}}
    fault = await denied(operator, hand, azure, namespace, name, **spec)
    assert fault.reason == "DeploymentNotForChat"
    assert "gpt-4o, gpt-4o-mini" in fault.message
    await azure.done("DELETE", f"{ACCOUNT_ID}/deployments/{deployment}")


async def test_a_deployment_made_after_it_was_named_is_found(
    *, operator, hand, azure, namespace, offer, clock
):
    name, deployment = await offer(), f"new-{uuid4().hex[:6]}"
    await hand.create(chatbot(namespace, account=name, openAI={"deployment": deployment}))
    assert (await operator.refused(key(namespace))).reason == "DeploymentNotFound"
    model = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-08-06"}
    body = {"sku": {"name": "GlobalStandard", "capacity": 1}, "properties": {"model": model}}
    await azure.done("PUT", f"{ACCOUNT_ID}/deployments/{deployment}", body)
    clock.ahead = 60
    await operator.look(key(namespace))  # it asks for a look at the account
    await operator.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"
    await azure.done("DELETE", f"{ACCOUNT_ID}/deployments/{deployment}")


@pytest.mark.parametrize(
    ("spec", "reason", "limits"),
    [
        (
            {"image": "contoso.azurecr.io/mine:1"},
            "ImageNotAllowed",
            {"imageRepositories": ["contoso.azurecr.io/chat"]},
        ),
        ({"service": {"type": "LoadBalancer"}}, "ServiceTypeNotAllowed", {}),
        (
            {"service": {"type": "LoadBalancer"}},
            "AnonymousNotAllowed",
            {"serviceTypes": ["LoadBalancer"]},
        ),
    ],
    ids=["image", "service type", "anonymous"],
)
async def test_what_the_account_does_not_allow_a_chatbot(
    *, operator, hand, azure, namespace, offer, spec, reason, limits
):
    fault = await denied(operator, hand, azure, namespace, await offer(**limits), **spec)
    assert fault.reason == reason


async def test_an_account_that_azure_does_not_have(operator, hand, azure, namespace, offer):
    name = await offer(ACCOUNT_ID.replace("contoso", "fabrikam"))
    fault = await denied(operator, hand, azure, namespace, name)
    assert fault.reason == "AccountNotUsable"


async def test_an_account_that_azure_does_not_have_for_one_who_may_look(
    *, operator, hand, azure, namespace, offer, reader
):
    name = await offer(ACCOUNT_ID.replace("contoso", "fabrikam"))
    fault = await denied(operator, hand, azure, namespace, name)
    assert fault.reason == "AccountNotUsable"
    assert "AccountNotFound" in fault.message


async def test_an_account_without_a_custom_subdomain(
    *, operator, hand, azure, namespace, offer, azure_account, reader
):
    name = await offer(await azure_account(subdomain=False))
    fault = await denied(operator, hand, azure, namespace, name)
    assert fault.reason == "AccountNotUsable"
    assert "NoCustomSubdomain" in fault.message
    assert "az cognitiveservices account update" in fault.message


async def test_an_account_of_another_kind(
    *, operator, hand, azure, emulator, namespace, offer, azure_account, reader
):
    at = await azure_account()
    store = emulator.world.store.accounts
    store[at.lower()] = replace(store[at.lower()], kind="TextAnalytics")
    fault = await denied(operator, hand, azure, namespace, await offer(at))
    assert "NotOpenAI" in fault.message


@pytest.mark.parametrize(
    ("state", "reason"), [("Failed", "AccountNotReady"), ("Creating", "AccountProvisioning")]
)
async def test_an_account_that_azure_has_not_finished(
    *, operator, hand, azure, namespace, offer, azure_account, reader, state, reason
):
    at = await azure_account()
    where = f"/_emulator/accounts/{at.rpartition('/')[2]}"
    assert (await azure.http.patch(where, json={"provisioningState": state})).is_success
    name = await offer(at)
    conditions = await hand.conditions_of(ACCOUNTS, "", name)
    assert conditions["Usable"]["reason"] == reason
    assert conditions["Usable"]["status"] == ("False" if state == "Failed" else "Unknown")


async def test_no_resource_group_for_identities(operator, hand, azure, namespace, offer):
    bare = replace(operator.world.installation, identity_resource_group="")
    operator.world = replace(operator.world, installation=bare)
    await hand.create(chatbot(namespace, account=await offer()))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "IdentityResourceGroupMissing"
    assert await azure.identities(namespace) == []


async def test_a_group_for_identities_that_is_not_there_is_named_and_keeps_nothing(
    operator, hand, azure, namespace, offer
):
    name = await offer(identity={"resourceGroup": "nowhere"})
    await hand.create(chatbot(namespace, account=name))
    while True:
        again = await operator.look(key(namespace))
        if again.failed:
            break
    assert again.fault.reason == "AzureAccessDenied"
    assert "identity.resourceGroup" in again.fault.message
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await hand.get(CHATBOTS, namespace) is None


async def test_an_account_object_deleted_before_its_chatbot_keeps_nothing(
    operator, hand, azure, namespace
):
    name = f"a-{uuid4().hex[:8]}"
    await hand.create(account(name))
    await operator.look(Key(ACCOUNTS, "", name))
    await hand.create(chatbot(namespace, account=name))
    await operator.settle(key(namespace))
    await hand.delete(ACCOUNTS, "", name)
    assert (await operator.refused(key(namespace))).reason == "AccountNotFound"
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await azure.identities(namespace) == []
    assert await azure.described(namespace) == []
    assert await hand.children(namespace) == {}


async def test_an_azure_account_deleted_before_its_chatbot_keeps_nothing(
    *, operator, hand, azure, namespace, offer, azure_account, standing
):
    at = await azure_account()
    await manage(azure, at, standing.principal_id)
    await deploy(azure, at)
    await hand.create(chatbot(namespace, account=await offer(at)))
    await operator.settle(key(namespace))
    await azure.done("DELETE", at)
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await azure.identities(namespace) == []
    assert await azure.described(namespace) == []
    assert await hand.children(namespace) == {}


async def test_the_identities_group_deleted_before_the_chatbot_keeps_nothing(
    *, operator, hand, azure, namespace, offer, standing
):
    group = f"{SUBSCRIPTION_ID}/resourceGroups/g-{uuid4().hex[:8]}"
    await azure.done("PUT", group, {"location": fixed.LOCATION})
    where = f"{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    contributor = bootstrap.MANAGED_IDENTITY_CONTRIBUTOR
    properties = {
        "roleDefinitionId": (
            f"{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions/{contributor}"
        ),
        "principalId": standing.principal_id,
        "principalType": "ServicePrincipal",
    }
    await azure.done("PUT", where, {"properties": properties})
    name = await offer(identity={"resourceGroup": group.rpartition("/")[2]})
    await hand.create(chatbot(namespace, account=name))
    await operator.settle(key(namespace))
    await azure.done("DELETE", group)
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await hand.children(namespace) == {}
    assert await azure.described(namespace) == []
    await azure.done("DELETE", where)

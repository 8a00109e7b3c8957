"""What the operator may do in Azure, compared with what it needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from chatbot_operator import ports
from chatbot_operator.errors import Refusal
from chatbot_operator.ports import Manage, Model, OpenAIAccount, Permission
from chatbot_operator.reconcile import Key, reconcile
from chatbot_operator.rights import ON_ACCOUNT, ON_GROUP, fit
from unit.small_world import SmallWorld

SHIPPED = (Path(__file__).parents[2] / "deploy/azure/one-role.condition").read_text()
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
# The built-in roles, as far as they matter
# (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles).
ADMINISTRATOR = Permission(
    actions=(ASSIGN, "Microsoft.Authorization/roleAssignments/delete", "*/read"),
    condition=SHIPPED,
)
CONTRIBUTOR = Permission(
    actions=(
        "Microsoft.ManagedIdentity/userAssignedIdentities/*",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/*",
        "Microsoft.Authorization/*/read",
        "Microsoft.Resources/deployments/*",
    )
)
READER = Permission(actions=("*/read",))
OWNER = Permission(actions=("*",))


def test_the_roles_that_the_readme_names_are_what_it_needs():
    found = fit([ADMINISTRATOR], [CONTRIBUTOR])
    assert (found.status, found.reason) == ("True", "HoldsWhatItNeeds")


@pytest.mark.parametrize("action", ON_ACCOUNT)
def test_what_is_missing_on_the_account_is_named(action):
    held = [Permission(actions=(each,), condition=SHIPPED) for each in ON_ACCOUNT if each != action]
    found = fit(held, [CONTRIBUTOR])
    assert (found.status, found.reason) == ("False", "HoldsLess")
    assert f"lacks {action} on the account. " in found.message


@pytest.mark.parametrize("action", ON_GROUP)
def test_what_is_missing_on_the_group_is_named(action):
    held = [Permission(actions=(each,)) for each in ON_GROUP if each != action]
    found = fit([ADMINISTRATOR], held)
    assert found.reason == "HoldsLess"
    assert f"lacks {action} on the identities' resource group. " in found.message


def test_what_a_role_takes_back_is_not_held():
    taken = replace(OWNER, not_actions=("Microsoft.Authorization/*/Write",))
    assert ASSIGN in fit([taken, READER], [CONTRIBUTOR]).message


@pytest.mark.parametrize(
    ("account", "group", "words"),
    [
        ([OWNER], [CONTRIBUTOR], "read the account's keys"),
        ([ADMINISTRATOR, Permission(("Microsoft.CognitiveServices/*",))], [CONTRIBUTOR], "keys"),
        ([replace(ADMINISTRATOR, condition="")], [CONTRIBUTOR], "assign any role on the account"),
        ([ADMINISTRATOR], [OWNER], "assign roles on the identities' resource group"),
        ([ADMINISTRATOR, Permission((), data_actions=("*",))], [CONTRIBUTOR], "chat with"),
    ],
    ids=["owner", "keys", "no condition", "owner of the group", "data"],
)
def test_what_it_could_do_beyond_its_need_is_named(account, group, words):
    found = fit(account, group)
    assert (found.status, found.reason) == ("False", "HoldsMore")
    assert words in found.message


@pytest.mark.parametrize(
    "condition",
    [
        SHIPPED.replace("{5e0bd9bd", "{8e3af657-a8ff-443c-a75c-2fe8c4bcb635, 5e0bd9bd", 1),
        SHIPPED.partition("AND\n((")[2],
        SHIPPED.replace(":PrincipalType]", ":PrincipalId]"),
        SHIPPED.replace("5e0bd9bd", "8e3af657"),
    ],
    ids=["another role", "deletion only", "any principal", "owner"],
)
def test_a_condition_that_was_widened_is_found(condition):
    held = replace(ADMINISTRATOR, condition=condition)
    assert "assign any role" in fit([held], [CONTRIBUTOR]).message


def test_a_condition_in_other_words_will_do():
    held = replace(ADMINISTRATOR, condition=" ".join(SHIPPED.upper().split()).lower())
    assert fit([held], [CONTRIBUTOR]).status == "True"


def test_without_a_group_nothing_is_missing_on_it():
    assert fit([ADMINISTRATOR], None).status == "True"


async def looked_at(small):
    await reconcile(small.world, Key(ports.ACCOUNTS, "", "contoso"), memory=small.memory)
    status = small.cluster.objects["azureopenaiaccounts", "", "contoso"]["status"]
    found = next(c for c in status["conditions"] if c["type"] == "RightsFit")
    return found["status"], found["reason"]


async def test_an_account_tells_what_the_operator_lacks_and_bars_nobody():
    small = SmallWorld()
    small.azure.rights = {"contoso": [READER], "ai": [CONTRIBUTOR]}
    model = Model("gpt-4o", "gpt-4o", "2024-08-06")
    small.azure.found = OpenAIAccount("OpenAI", "x", "https://x/", "x", "Succeeded", (model,))
    assert await looked_at(small) == ("False", "HoldsLess")
    assert [note.reason for note in small.cluster.told] == ["HoldsLess"]
    assert await looked_at(small) == ("False", "HoldsLess")
    assert len(small.cluster.told) == 1, "told once"
    await small.settle()
    assert small.condition("Ready") == ("True", "Ready")


async def test_rights_that_cannot_be_read_are_not_known_and_passing_trouble_changes_nothing():
    small = SmallWorld()
    small.azure.rights = {"contoso": [ADMINISTRATOR], "ai": [CONTRIBUTOR]}
    assert await looked_at(small) == ("True", "HoldsWhatItNeeds")
    small.restart()
    small.azure.unreadable = Refusal("call", status=429, code="", message="", reading=True)
    assert await looked_at(small) == ("True", "HoldsWhatItNeeds")
    small.azure.unreadable = Refusal("call", status=403, code="AuthorizationFailed", message="")
    assert await looked_at(small) == ("Unknown", "AzureAccessDenied")


@pytest.mark.parametrize(
    ("manage", "account", "group", "reason"),
    [
        (Manage.FEDERATION_ONLY, READER, CONTRIBUTOR, "HoldsWhatItNeeds"),
        (Manage.FEDERATION_ONLY, READER, READER, "HoldsLess"),
        (Manage.FEDERATION_ONLY, ADMINISTRATOR, CONTRIBUTOR, "HoldsMore"),
        (Manage.NOTHING, READER, READER, "HoldsWhatItNeeds"),
        (Manage.NOTHING, READER, CONTRIBUTOR, "HoldsMore"),
        (Manage.NOTHING, Permission(()), READER, "HoldsLess"),
    ],
)
def test_what_it_needs_depends_on_what_it_manages(manage, account, group, reason):
    assert fit([account], [group], manage).reason == reason

"""What `doctor` makes of Azure: roles held, accounts, groups, locks, providers."""

from __future__ import annotations

from pathlib import Path

import pytest
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.doctor import accounts, holding
from chatbot_operator.cli.doctor.accounts import Content
from chatbot_operator.cli.doctor.holding import Held, Place
from chatbot_operator.cli.doctor.looking import Absent, Silent
from chatbot_operator.cli.pod.in_azure import Lock
from chatbot_operator.cli.unread import Unread
from chatbot_operator.errors import Pending, Stuck
from chatbot_operator.ports import Manage, Permission
from chatbot_operator.steps.account import Examination
from unit.bodies import ACCOUNT_ID, account, usable

FILE = Path(__file__).parents[2] / "deploy/azure/one-role.condition"
SHIPPED = FILE.read_text()
GROUP = "/subscriptions/s/resourceGroups/chatbot-identities"
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
NOBODY = Unread("look")
ADMINISTRATOR = Permission(
    (ASSIGN, "Microsoft.Authorization/roleAssignments/delete", "*/read"), condition=SHIPPED
)
CONTRIBUTOR = Permission(("Microsoft.ManagedIdentity/userAssignedIdentities/*",))
READER = Permission(("*/read",))
OWNER = Permission(("*",))
CREATE = (
    "az role assignment create --assignee-object-id p --assignee-principal-type ServicePrincipal"
)
LIMIT = f'--condition "$(cat {FILE})" --condition-version 2.0'


def held(name, permission, scope=ACCOUNT_ID):
    return Held(f"{scope}/{name}", scope, name, (permission,))


def judged(on_account, on_group=(("mi", CONTRIBUTOR),), manage=Manage.ALL):
    at = Place(ACCOUNT_ID, tuple(held(*each) for each in on_account))
    group = Place(GROUP, tuple(held(*each, GROUP) for each in on_group))
    return holding.check("p", at, group, manage, FILE)


def test_what_the_readme_asks_for_is_right():
    assert judged([("admin", ADMINISTRATOR)]).mark is Mark.OK


def test_what_is_missing_is_assigned_with_the_condition():
    found = judged([], [])
    assert found.mark is Mark.WRONG
    assert found.commands == (
        f"{CREATE} --role 'Role Based Access Control Administrator' --scope {ACCOUNT_ID} {LIMIT}",
        f"{CREATE} --role 'Managed Identity Contributor' --scope {GROUP}",
    )


def test_a_role_without_the_condition_is_taken_away_and_given_with_it():
    bare = Permission(ADMINISTRATOR.actions)
    found = judged([("admin", bare)])
    assert "it could assign any role on the account" in found.found
    assert found.commands == (
        f"az role assignment delete --ids {ACCOUNT_ID}/admin",
        f"{CREATE} --role 'Role Based Access Control Administrator' --scope {ACCOUNT_ID} {LIMIT}",
    )


def test_only_what_is_too_much_is_taken_away():
    found = judged([("admin", ADMINISTRATOR), ("owner", OWNER)])
    assert found.commands == (f"az role assignment delete --ids {ACCOUNT_ID}/owner",)


def test_what_is_given_above_may_serve_others_and_that_is_said():
    wide = Held("/subscriptions/s/x", "/subscriptions/s", "Owner", (OWNER,))
    at = Place(ACCOUNT_ID, (held("admin", ADMINISTRATOR), wide))
    found = holding.check("p", at, None, Manage.ALL, FILE)
    assert "Owner at /subscriptions/s may serve something else" in found.fix


def test_who_manages_less_needs_less():
    assert judged([("r", READER)], manage=Manage.FEDERATION_ONLY).mark is Mark.OK
    assert judged([("r", READER)], [("r", READER)], Manage.NOTHING).mark is Mark.OK
    found = judged([], [], Manage.NOTHING)
    assert found.commands == (
        f"{CREATE} --role Reader --scope {ACCOUNT_ID}",
        f"{CREATE} --role Reader --scope {GROUP}",
    )


def test_an_identity_that_others_made_takes_its_credentials_only():
    def judge(permission, manage=Manage.ALL):
        return holding.on_shared("shop", "p", Place("/id", (held("r", permission),)), manage)

    least = Permission(
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/*",
        )
    )
    assert judge(least).mark is judge(CONTRIBUTOR).mark is Mark.OK
    assert judge(READER, Manage.NOTHING).mark is Mark.OK
    found = judge(READER)
    assert found.commands == (f"{CREATE} --role 'Managed Identity Contributor' --scope /id",)
    assert "federatedIdentityCredentials/write" in found.found
    assert "userAssignedIdentities/write" not in found.found
    dark = holding.on_shared("shop", "p", Place("/id", NOBODY), Manage.ALL)
    assert dark.mark is Mark.UNKNOWN


@pytest.mark.parametrize("dark", [NOBODY, Silent("429"), Absent("X")])
def test_roles_that_are_not_shown_are_not_known(dark):
    found = holding.check("p", Place(ACCOUNT_ID, dark), None, Manage.ALL, FILE)
    assert found.mark is Mark.UNKNOWN


def test_assignments_are_read_with_their_roles_and_conditions():
    def assigned(name, scope, role, condition=None):
        of = {"scope": scope, "roleDefinitionId": role, "condition": condition}
        return {"id": name, "properties": of}

    role = {"properties": {"roleName": "R", "permissions": [{"actions": ["*/read"]}]}}
    found = holding.parse(
        [
            assigned("here", ACCOUNT_ID.upper(), "r", "only if"),
            assigned("above", "/", "r"),
            assigned("below", f"{ACCOUNT_ID}/deployments/x", "r"),
            assigned("beside", ACCOUNT_ID[:-1], "r"),
            assigned("gone", ACCOUNT_ID, "deleted role"),
        ],
        {"r": role},
        ACCOUNT_ID,
    )
    assert [each.id for each in found] == ["here", "above"]
    assert found[0].permissions == (Permission(("*/read",), condition="only if"),)


FINE = {"deployments": [{"name": "gpt-4o"}], "findings": []}
TOLD = {
    "findings": [
        {
            "type": "KeyAccess",
            "severity": "Warning",
            "message": "Keys: `az resource update --ids x`.",
        },
        {"type": "NetworkClosed", "severity": "Error", "message": "From nowhere."},
    ]
}
GONE = Stuck("AccountNotFound", "There is none: `az cognitiveservices account show --query id`.")


@pytest.mark.parametrize(
    ("found", "marks", "commands"),
    [
        (Examination(FINE, None, None), [Mark.OK], ()),
        (
            Examination(TOLD, None, None),
            [Mark.OK, Mark.NOTE, Mark.WRONG],
            ("az resource update --ids x",),
        ),
        (
            Examination({}, None, GONE),
            [Mark.WRONG],
            ("az cognitiveservices account show --query id",),
        ),
        (Examination({}, None, Pending("AccountProvisioning", "")), [Mark.WAITING], ()),
        (Absent("SubscriptionNotFound"), [Mark.WRONG], ()),
        (NOBODY, [Mark.UNKNOWN], ()),
    ],
)
def test_an_account_as_azure_has_it(found, marks, commands):
    checks = accounts.in_azure(account(), found)
    assert [each.mark for each in checks] == marks
    assert tuple(c for each in checks for c in each.commands) == commands


@pytest.mark.parametrize(
    ("status", "mark"),
    [
        (usable("False", "NoCustomSubdomain"), Mark.WRONG),
        (usable(), Mark.UNKNOWN),
        ({}, Mark.UNKNOWN),
    ],
)
def test_an_account_that_is_not_shown_is_as_the_operator_saw_it(status, mark):
    (found,) = accounts.in_azure(account(status=status), NOBODY)
    assert found.mark is mark


def test_where_the_operator_says_otherwise_it_is_told():
    found = Examination(FINE, None, None)
    (told,) = accounts.as_operator_saw(account(status=usable("False", "X")), found)
    assert (told.mark, told.cause) == (Mark.WAITING, "As found.")
    (new,) = accounts.as_operator_saw(account(status={}), found)
    assert new.mark is Mark.WAITING
    assert list(accounts.as_operator_saw(account(), found)) == []
    assert list(accounts.as_operator_saw(account(), Examination({}, None, GONE))) == []


@pytest.mark.parametrize(
    ("status", "mark"), [("True", Mark.OK), ("False", Mark.WRONG), ("Unknown", Mark.UNKNOWN)]
)
def test_rights_as_the_operator_tells_them(status, mark):
    said = {"type": "RightsFit", "status": status, "reason": "R", "message": "M"}
    (found,) = accounts.rights_as_seen(account(status={"conditions": [said]}))
    assert found.mark is mark
    assert list(accounts.rights_as_seen(account(status={}))) == []


def test_what_chatbots_that_are_gone_have_left_is_counted():
    def kubectl(*words):
        return " ".join(("kubectl", *words))

    left = {"type": "OrphanedIdentity", "severity": "Warning", "message": "M"}
    told = account(status={"findings": [left, left, {**left, "type": "KeyAccess"}]})
    found = accounts.orphans(told, kubectl)
    assert (found.mark, found.commands) == (Mark.NOTE, ("kubectl chatbot orphans",))
    assert found.found.startswith("2 left")
    assert accounts.orphans(account(), kubectl) is None


ONE = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/cb"


@pytest.mark.parametrize(
    ("found", "mark"),
    [
        (Content((), {}), Mark.OK),
        (Content((ONE,), {ONE.lower(): {"chatbot-operator-owner": "x"}}), Mark.OK),
        (Content((ONE,), {ONE.lower(): {"Chatbot-Operator-Allow": "x"}}), Mark.OK),
        (Content((ONE,), {ONE.lower(): {"team": "x"}}), Mark.NOTE),
        (Content((f"{GROUP}/providers/Microsoft.Compute/disks/d",), {}), Mark.NOTE),
        (Absent("ResourceGroupNotFound"), Mark.WRONG),
        (Absent("Other"), Mark.UNKNOWN),
        (NOBODY, Mark.UNKNOWN),
    ],
)
def test_a_group_holds_nothing_but_chatbots_identities(found, mark):
    assert accounts.group(GROUP, found, "make").mark is mark


@pytest.mark.parametrize(
    ("levels", "mark"), [((), None), (("CanNotDelete",), Mark.NOTE), (("ReadOnly",), Mark.WRONG)]
)
def test_locks(levels, mark):
    every = tuple(Lock(GROUP, "keep", each) for each in levels)
    found = accounts.locks(every, writes=True)
    assert (found and found.mark) == mark
    assert accounts.locks(every, writes=False) is None
    if found:
        assert found.commands == (
            f"az lock delete --ids {GROUP}/providers/Microsoft.Authorization/locks/keep",
        )


def test_locks_that_are_not_shown():
    assert accounts.locks(NOBODY, writes=True).mark is Mark.UNKNOWN
    assert accounts.locks(None, writes=True) is None


@pytest.mark.parametrize(
    ("state", "mark"),
    [
        ("Registered", Mark.OK),
        ("Registering", Mark.WAITING),
        ("NotRegistered", Mark.WRONG),
        ("", Mark.WRONG),
        (NOBODY, Mark.UNKNOWN),
    ],
)
def test_providers(state, mark):
    assert accounts.provider("Microsoft.X", "s", state).mark is mark

"""Who may do what: roles, their inheritance, and conditions on constrained delegation."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters
from azure.mgmt.msi.v2024_11_30.models import Identity
from hypothesis import given
from hypothesis import strategies as st
from sandbox.azure import settings as fixed
from sandbox.azure.builtin_roles import BUILT_IN
from sandbox.azure.conditions import Question, holds
from sandbox.azure.rbac import covers

SUBSCRIPTION = f"/subscriptions/{fixed.SUBSCRIPTION}"
IDENTITIES = f"{SUBSCRIPTION}/resourceGroups/chatbot-identities"
ACCOUNT = (
    f"{SUBSCRIPTION}/resourceGroups/openai/providers/Microsoft.CognitiveServices/accounts/contoso"
)
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
IDENTITY_CONTRIBUTOR = "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59"
IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
ROLES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
NAME = "11111111-2222-4333-8444-555555555555"
CREDENTIALS = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
WRITE = "Microsoft.Authorization/roleAssignments/write"
DELETE = "Microsoft.Authorization/roleAssignments/delete"
DELEGATION = """
((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'}))
 OR (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {5e0bd9bd-7b93-4f28-af87-19fc36ad61bd}
 AND @Request[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))
AND
((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'}))
 OR (@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {5e0bd9bd-7b93-4f28-af87-19fc36ad61bd}
 AND @Resource[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))
"""


@pytest.fixture
async def operator(azure, issuer, token_file):
    """An identity of the operator's, with no role yet, and its credential."""
    identity = await azure.identity("operator")
    await azure.federate("operator", issuer.url)
    return identity, azure.workload(identity.client_id, token_file())


async def create(azure, credential, name="support"):
    return await azure.msi(credential).user_assigned_identities.create_or_update(
        "chatbot-identities", name, Identity(location="eastus")
    )


async def delegate(azure, credential, principal, role=OPENAI_USER, kind="ServicePrincipal"):
    parameters = RoleAssignmentCreateParameters(
        role_definition_id=f"{ROLES}/{role}", principal_id=principal, principal_type=kind
    )
    return await azure.authorization(credential).role_assignments.create(ACCOUNT, NAME, parameters)


async def test_without_a_role_everything_is_forbidden_in_azures_words(azure, operator):
    identity, credential = operator

    with pytest.raises(HttpResponseError) as refused:
        await create(azure, credential)

    action = "Microsoft.ManagedIdentity/userAssignedIdentities/write"
    scope = f"{IDENTITIES}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/support"
    assert refused.value.status_code == 403
    assert refused.value.error.code == "AuthorizationFailed"
    assert refused.value.error.message == (
        f"The client '{identity.client_id}' with object id '{identity.principal_id}' does not have "
        f"authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials."
    )


async def test_a_role_on_a_group_is_inherited_by_what_is_in_it_and_reaches_no_further(
    azure, operator
):
    identity, credential = operator
    await azure.assign(identity.principal_id, IDENTITY_CONTRIBUTOR, IDENTITIES.upper())

    assert (await create(azure, credential)).name == "support"
    with pytest.raises(HttpResponseError) as refused:
        await azure.cognitive(credential).accounts.get("openai", "contoso")
    assert refused.value.error.code == "AuthorizationFailed"


async def test_an_identity_operator_may_not_write_credentials(azure, operator):
    identity, credential = operator
    await azure.assign(identity.principal_id, IDENTITY_OPERATOR, IDENTITIES)

    with pytest.raises(HttpResponseError) as refused:
        await azure.msi(credential).federated_identity_credentials.delete(
            "chatbot-identities", "operator", "cluster"
        )

    assert f"'{CREDENTIALS}/delete'" in refused.value.error.message


async def test_a_contributor_may_not_assign_roles(azure, operator):
    identity, credential = operator
    await azure.assign(identity.principal_id, CONTRIBUTOR, SUBSCRIPTION)

    with pytest.raises(HttpResponseError) as refused:
        await delegate(azure, credential, identity.principal_id)

    assert f"'{WRITE}'" in refused.value.error.message


async def test_a_removed_role_allows_nothing_any_more(azure, operator):
    identity, credential = operator
    name = await azure.assign(identity.principal_id, READER, SUBSCRIPTION)
    await azure.cognitive(credential).accounts.get("openai", "contoso")

    await azure.authorization().role_assignments.delete(SUBSCRIPTION, name)

    with pytest.raises(HttpResponseError):
        await azure.cognitive(credential).accounts.get("openai", "contoso")


@pytest.fixture
async def delegate_of(azure, operator):
    """The operator's credential under Microsoft's constrained delegation."""
    identity, credential = operator
    await azure.assign(
        identity.principal_id,
        RBAC_ADMINISTRATOR,
        ACCOUNT,
        condition=DELEGATION,
        condition_version="2.0",
    )
    return credential


async def test_constrained_delegation_lets_the_one_role_be_given_and_taken(azure, delegate_of):
    principal = (await azure.identity()).principal_id

    made = await delegate(azure, delegate_of, principal)
    operations = azure.authorization(delegate_of).role_assignments
    assert (await operations.get(ACCOUNT, made.name)).principal_id == principal
    assert (await operations.delete(ACCOUNT, made.name)).name == NAME
    assert await operations.delete(ACCOUNT, made.name) is None


@pytest.mark.parametrize(
    ("role", "kind"),
    [(READER, "ServicePrincipal"), (OPENAI_USER, "User"), (OPENAI_USER, None)],
)
async def test_constrained_delegation_refuses_the_rest_in_azures_words(
    azure, delegate_of, role, kind
):
    principal = (await azure.identity()).principal_id

    with pytest.raises(HttpResponseError) as refused:
        await delegate(azure, delegate_of, principal, role, kind)

    assert refused.value.status_code == 403
    assert refused.value.error.code == "AuthorizationFailed"
    assert (
        "does not have authorization or an ABAC condition not fulfilled to perform action "
        f"'{WRITE}' over scope '{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/{NAME}'"
    ) in refused.value.error.message


async def test_constrained_delegation_refuses_to_take_away_another_role(azure, delegate_of):
    other = await azure.assign((await azure.identity()).principal_id, READER, ACCOUNT)

    with pytest.raises(HttpResponseError) as refused:
        await azure.authorization(delegate_of).role_assignments.delete(ACCOUNT, other)

    assert f"'{DELETE}'" in refused.value.error.message


def attribute(name, source="Request"):
    return f"@{source}[Microsoft.Authorization/roleAssignments:{name}]"


ROLE = attribute("RoleDefinitionId")
KIND = attribute("PrincipalType")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (f"{ROLE} ForAnyOfAnyValues:GuidEquals {{{READER}, {OPENAI_USER.upper()}}}", True),
        (f"{ROLE} ForAnyOfAnyValues:GuidEquals {{{READER}}}", False),
        (f"{ROLE} ForAnyOfAllValues:GuidNotEquals {{{READER}, {CONTRIBUTOR}}}", True),
        (f"{ROLE} ForAnyOfAllValues:GuidNotEquals {{{READER}, {OPENAI_USER}}}", False),
        (f"{ROLE} GuidEquals {OPENAI_USER}", True),
        (f"{KIND} StringEquals 'serviceprincipal'", False),
        (f"{KIND} StringEqualsIgnoreCase 'serviceprincipal'", True),
        (f"{attribute('PrincipalId')} StringEquals 'x'", False),
        (f"{attribute('PrincipalId')} StringNotEquals 'x'", False),
        (f"ActionMatches{{'{WRITE}'}}", True),
        ("ActionMatches{'microsoft.authorization/*'}", True),
        (f"!(ActionMatches{{'{WRITE}'}})", False),
        (f"NOT ActionMatches{{'{DELETE}'}}", True),
        (f"ActionMatches{{'{WRITE}'}} OR ActionMatches{{'a'}} AND ActionMatches{{'b'}}", True),
        (f"(ActionMatches{{'{WRITE}'}} || ActionMatches{{'a'}}) && ActionMatches{{'b'}}", False),
    ],
)
def test_a_condition_means_what_microsoft_says(condition, expected):
    question = Question(
        WRITE,
        {"RoleDefinitionId": OPENAI_USER, "PrincipalType": "ServicePrincipal", "PrincipalId": None},
        {},
    )

    assert holds(condition, question) is expected


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "(",
        f"ActionMatches{{'{WRITE}'}} AND",
        f"ActionMatches{{'{WRITE}'}} ActionMatches{{'{WRITE}'}}",
        f"ActionMatches{{'{WRITE}'}})",
        f"{KIND} StringLike '*'",
        f"{KIND} ForEachValue:StringEquals {{'ServicePrincipal'}}",
        "@Request[Microsoft.Authorization/roleAssignments:Description] StringEquals 'x'",
        "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:a] StringEquals 'x'",
        f"!({KIND} StringLike 'x')",
        f"ActionMatches{{'{WRITE}'}} OR $",
    ],
)
def test_a_condition_that_cannot_be_read_is_never_met(condition):
    request = {"PrincipalType": "ServicePrincipal"}

    assert holds(condition, Question(WRITE, request, {})) is False


@given(st.text())
def test_no_text_makes_the_condition_parser_fall_over(text):
    assert holds(text, Question("action", {}, {})) in {True, False}


@pytest.mark.parametrize(
    ("scope", "path", "expected"),
    [
        ("/", SUBSCRIPTION, True),
        (SUBSCRIPTION, ACCOUNT, True),
        (ACCOUNT, SUBSCRIPTION, False),
        (ACCOUNT, f"{ACCOUNT}-2", False),
        (ACCOUNT.upper(), ACCOUNT.lower(), True),
    ],
)
def test_scopes_cover_whole_segments_without_case(scope, path, expected):
    assert covers(scope, path) is expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("deployments/chat/completions/action", True),
        ("responses/write", True),
        ("responses/read", True),
        ("models/read", True),
        ("stored-completions/read", False),
        ("fine-tunes/write", False),
    ],
)
def test_an_openai_user_may_chat_but_not_read_stored_completions(action, expected):
    role = BUILT_IN[OPENAI_USER]

    assert role.allows_data(f"Microsoft.CognitiveServices/accounts/OpenAI/{action}") is expected

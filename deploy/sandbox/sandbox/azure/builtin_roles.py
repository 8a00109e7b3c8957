"""The built-in roles that this project can meet, with the contents Microsoft publishes.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from __future__ import annotations

from types import MappingProxyType

from sandbox.azure.rbac import RoleDefinition

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"

_AUTHORIZATION = "Microsoft.Authorization"
_COGNITIVE = "Microsoft.CognitiveServices"
_OPENAI = f"{_COGNITIVE}/accounts/OpenAI"
_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_SUPPORT = "Microsoft.Support/*"
_DEPLOY = "Microsoft.Resources/deployments/*"
_GROUPS_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"
_ROLES_READ = (
    f"{_COGNITIVE}/*/read",
    f"{_AUTHORIZATION}/roleAssignments/read",
    f"{_AUTHORIZATION}/roleDefinitions/read",
)
_AROUND_IDENTITIES = (f"{_AUTHORIZATION}/*/read", "Microsoft.Insights/alertRules/*")

_ROLES = (
    RoleDefinition(
        OWNER,
        "Owner",
        actions=("*",),
        description="Grants full access to manage all resources, including the ability to assign "
        "roles in Azure RBAC.",
    ),
    RoleDefinition(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        actions=("*",),
        not_actions=(
            f"{_AUTHORIZATION}/*/Delete",
            f"{_AUTHORIZATION}/*/Write",
            f"{_AUTHORIZATION}/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
        ),
    ),
    RoleDefinition("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", actions=("*/read",)),
    RoleDefinition(
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Role Based Access Control Administrator",
        actions=(
            f"{_AUTHORIZATION}/roleAssignments/write",
            f"{_AUTHORIZATION}/roleAssignments/delete",
            "*/read",
            _SUPPORT,
        ),
    ),
    RoleDefinition(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        actions=("*/read", f"{_AUTHORIZATION}/*", _SUPPORT),
    ),
    RoleDefinition(
        "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
        "Managed Identity Contributor",
        actions=(
            f"{_IDENTITIES}/read",
            f"{_IDENTITIES}/write",
            f"{_IDENTITIES}/delete",
            f"{_IDENTITIES}/federatedIdentityCredentials/read",
            f"{_IDENTITIES}/federatedIdentityCredentials/write",
            f"{_IDENTITIES}/federatedIdentityCredentials/delete",
            f"{_IDENTITIES}/revokeTokens/action",
            *_AROUND_IDENTITIES,
            _GROUPS_READ,
            _DEPLOY,
            _SUPPORT,
        ),
    ),
    RoleDefinition(
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "Managed Identity Operator",
        actions=(
            f"{_IDENTITIES}/*/read",
            f"{_IDENTITIES}/*/assign/action",
            f"{_IDENTITIES}/read",
            f"{_IDENTITIES}/assign/action",
            *_AROUND_IDENTITIES,
            _GROUPS_READ,
            _DEPLOY,
            _SUPPORT,
        ),
    ),
    RoleDefinition(
        OPENAI_USER,
        "Cognitive Services OpenAI User",
        actions=_ROLES_READ,
        data_actions=(
            f"{_OPENAI}/*/read",
            f"{_OPENAI}/engines/completions/action",
            f"{_OPENAI}/engines/search/action",
            f"{_OPENAI}/engines/generate/action",
            f"{_OPENAI}/deployments/audio/action",
            f"{_OPENAI}/deployments/search/action",
            f"{_OPENAI}/deployments/completions/action",
            f"{_OPENAI}/deployments/chat/completions/action",
            f"{_OPENAI}/deployments/extensions/chat/completions/action",
            f"{_OPENAI}/deployments/embeddings/action",
            f"{_OPENAI}/deployments/realtime/action",
            f"{_OPENAI}/images/generations/action",
            f"{_OPENAI}/video/generations/*",
            f"{_OPENAI}/assistants/*",
            f"{_OPENAI}/responses/*",
        ),
        not_data_actions=(f"{_OPENAI}/stored-completions/read",),
        description="Ability to view files, models, deployments. Readers can't make any changes. "
        "They can inference and create images.",
    ),
    RoleDefinition(
        "a001fd3d-188f-4b5d-821b-7da978bf7442",
        "Cognitive Services OpenAI Contributor",
        actions=(
            *_ROLES_READ,
            f"{_COGNITIVE}/accounts/deployments/write",
            f"{_COGNITIVE}/accounts/deployments/delete",
            f"{_COGNITIVE}/accounts/raiPolicies/*",
        ),
        data_actions=(f"{_OPENAI}/*",),
    ),
    RoleDefinition(
        "a97b65f3-24c7-4388-baec-2e87135dc908",
        "Cognitive Services User",
        actions=(f"{_COGNITIVE}/*/read", f"{_COGNITIVE}/accounts/listkeys/action", _GROUPS_READ),
        data_actions=(f"{_COGNITIVE}/*",),
    ),
    RoleDefinition(
        "53ca6127-db72-4b80-b1b0-d745d6d5456d",
        "Azure AI User",
        actions=(f"{_COGNITIVE}/*/read", f"{_COGNITIVE}/accounts/listkeys/action", _GROUPS_READ),
        data_actions=(f"{_COGNITIVE}/*",),
    ),
    RoleDefinition(
        "eadc314b-1a2d-4efa-be10-5d325db5065e",
        "Azure AI Project Manager",
        actions=(
            f"{_COGNITIVE}/accounts/*/read",
            f"{_COGNITIVE}/accounts/projects/*",
            f"{_AUTHORIZATION}/roleAssignments/write",
            f"{_AUTHORIZATION}/roleAssignments/delete",
            _GROUPS_READ,
        ),
        data_actions=(f"{_COGNITIVE}/*",),
    ),
    RoleDefinition(
        "64702f94-c441-49e6-a78b-ef80e0188fee",
        "Azure AI Developer",
        actions=("Microsoft.MachineLearningServices/workspaces/*/read", *_ROLES_READ, _GROUPS_READ),
        data_actions=(f"{_OPENAI}/*",),
    ),
    RoleDefinition(
        "bba48692-92b0-4667-a9ad-c31c7b334ac2",
        "Cognitive Services Usages Reader",
        actions=(f"{_COGNITIVE}/locations/usages/read",),
    ),
)

BUILT_IN = MappingProxyType({role.guid: role for role in _ROLES})
"""Every built-in role by its GUID."""

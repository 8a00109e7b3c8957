"""Reasons for what Azure Resource Manager and Entra refuse."""

from __future__ import annotations

from typing import Final

from chatbot_operator.errors.faults import Blind, Stuck, Transient
from chatbot_operator.errors.reasons.reason import Reason

AZURE: Final = (
    Reason(
        "IdentityNotThere",
        Stuck,
        "The chatbot's managed identity is not there, and for others to make: AZURE_MANAGE leaves"
        " that to them, or spec.identity.existing names it.",
        "Run the command that the message gives.",
    ),
    Reason(
        "CredentialNotThere",
        Stuck,
        "AZURE_MANAGE leaves credentials to others, and the chatbot's is not there or differs.",
        "Run the command that the message gives.",
    ),
    Reason(
        "FederationFull",
        Stuck,
        "The identity holds as many federated credentials as Azure allows.",
        "Delete some that nobody needs.",
    ),
    Reason(
        "FederationNearlyFull",
        Stuck,
        "The identity holds almost as many federated credentials as Azure allows.",
        "Delete some that nobody needs, before another one is needed.",
    ),
    Reason(
        "RoleNotAssigned",
        Stuck,
        "The chatbot's role is not assigned, and for others to assign: AZURE_MANAGE leaves that to"
        " them, or they made the identity.",
        "Run the command that the message gives.",
    ),
    Reason(
        "AzureUnreachable",
        Transient,
        "Azure Resource Manager could not be reached.",
        "Wait; if it lasts, let the operator's pods reach it: proxy, firewall, DNS.",
    ),
    Reason(
        "AzureThrottled",
        Transient,
        "Azure takes no more requests for now.",
        "Wait: the operator waits as long as Azure asks.",
    ),
    Reason(
        "AzureError",
        Transient,
        "Azure failed in a way that passes.",
        "Wait; if it lasts, give the request id to Microsoft's support.",
    ),
    Reason(
        "ConcurrentWrites",
        Transient,
        "Somebody else writes to the same resource at this moment.",
        "Wait; if it lasts, find out in the activity log who keeps writing.",
    ),
    Reason(
        "AzureResourceMissing",
        Transient,
        "Something that the operator was about to use went away.",
        "Wait: it is made again.",
    ),
    Reason(
        "RoleAssignmentExists",
        Transient,
        "The identity was given the role under another name at this moment.",
        "Wait: the operator uses the assignment that is there.",
    ),
    Reason(
        "PrincipalReplicating",
        Transient,
        "The directory does not know the new identity yet.",
        "Wait: it takes a minute.",
    ),
    Reason(
        "AzureRefused",
        Stuck,
        "Azure refuses what the operator asked for.",
        "Read what Azure says below; with the request id Microsoft's support finds the call.",
    ),
    Reason(
        "AzureAccessDenied",
        Blind,
        "The operator's identity lacks a right, or what it names does not exist.",
        "Grant it Managed Identity Contributor on the identities' resource group and Role Based"
        " Access Control Administrator on the account; or compare accountId and"
        " identity.resourceGroup of the AzureOpenAIAccount with what exists.",
    ),
    Reason(
        "OperatorNotAuthenticated",
        Blind,
        "Azure does not accept who the operator says it is.",
        "Check the operator's identity: its federated credential, client id and tenant.",
    ),
    Reason(
        "ResourceGroupNotFound",
        Stuck,
        "The resource group does not exist.",
        "Create the resource group, or name another in the AzureOpenAIAccount.",
    ),
    Reason(
        "SubscriptionNotFound",
        Stuck,
        "The subscription does not exist for the operator's identity.",
        "Check the subscription in accountId and that the operator's identity can read it.",
    ),
    Reason(
        "ProviderNotRegistered",
        Stuck,
        "The subscription has not registered the resource provider.",
        "Register it: `az provider register --namespace Microsoft.ManagedIdentity` (or the one that"
        " is named below).",
    ),
    Reason(
        "DeniedByAzurePolicy",
        Stuck,
        "An Azure Policy forbids it.",
        "Have the policy that is named below changed or exempted, or change spec.identity of the"
        " AzureOpenAIAccount.",
    ),
    Reason(
        "ResourceLocked",
        Stuck,
        "A lock on the resource, its group or its subscription forbids it.",
        "Remove the lock that is named below: `az lock list`, `az lock delete`.",
    ),
    Reason(
        "QuotaExceeded",
        Stuck,
        "A quota of the subscription is used up.",
        "Ask for more quota in this region, or free some.",
    ),
    Reason(
        "RoleAssignmentLimit",
        Stuck,
        "The subscription holds 4000 role assignments, the most Azure allows.",
        "Remove some: assignments of identities that are gone show as `Identity not found`.",
    ),
    Reason(
        "RoleAssignmentNameTaken",
        Stuck,
        "A role assignment of the name that the operator derives exists for something else.",
        "Delete the assignment that is named below if nobody needs it.",
    ),
    Reason(
        "RoleMissing",
        Stuck,
        "This cloud has no role Cognitive Services OpenAI User.",
        "Check that the operator's cloud is the account's.",
    ),
    Reason(
        "IdentityLocationConflict",
        Stuck,
        "The identity exists in another region; spec.identity.location cannot move it.",
        "Set the region back, or delete the identity to have it made again.",
    ),
    Reason(
        "RegionWithoutFederation",
        Stuck,
        "Managed identities of this region take no federated credentials.",
        "Name another region in spec.identity.location; it need not be the cluster's.",
    ),
    Reason(
        "EntraUnavailable",
        Transient,
        "Entra failed in a way that passes.",
        "Wait.",
    ),
)

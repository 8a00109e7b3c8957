"""Reasons for an account that cannot be used, or not by this chatbot."""

from __future__ import annotations

from typing import Final

from chatbot_operator.errors.faults import Pending, Stuck
from chatbot_operator.errors.reasons.reason import Reason

DENIALS: Final = (
    "AccountNotFound",
    "NamespaceNotAllowed",
    "DeploymentNotAllowed",
    "ImageNotAllowed",
    "ServiceTypeNotAllowed",
    "AnonymousNotAllowed",
    "IdentityNotAllowed",
)
"""Why the owners of an account do not consent; what such a chatbot holds is withdrawn."""

PERMISSION: Final = (
    Reason(
        "AccountNotFound",
        Stuck,
        "There is no AzureOpenAIAccount of this name, or Azure has no account of its id.",
        "`kubectl get aoai` lists the accounts; compare accountId with `az cognitiveservices"
        " account list --query [].id`.",
    ),
    Reason(
        "AccountChecking",
        Pending,
        "The account is being looked at.",
        "Wait: the chatbot goes on as soon as it is known to be usable.",
    ),
    Reason(
        "AccountProvisioning",
        Pending,
        "Azure is still making the account.",
        "Wait.",
    ),
    Reason(
        "AccountNotReady",
        Stuck,
        "Azure failed to make the account, or is deleting it.",
        "Look at its provisioning state in Azure.",
    ),
    Reason(
        "AccountNotUsable",
        Stuck,
        "The account cannot be used by anybody.",
        "Do what the message says, which is the account's own.",
    ),
    Reason(
        "AccountSoftDeleted",
        Stuck,
        "The account was deleted and can still be restored.",
        "`az cognitiveservices account recover`, or name another account.",
    ),
    Reason(
        "NetworkClosed",
        Stuck,
        "No network rule and no approved private endpoint of the account lets anybody in.",
        "Add one that the cluster's network can use.",
    ),
    Reason(
        "NetworkRestricted",
        None,
        "The account answers some networks only; chatbots elsewhere meet NetworkDenied.",
        "See that the cluster's network is among them.",
    ),
    Reason(
        "PrivateEndpointNotApproved",
        None,
        "Finding: a private endpoint connection of the account is not approved.",
        "Approve it, or remove it.",
    ),
    Reason(
        "KeyAccess",
        None,
        "Finding: keys open the account beside identities.",
        "Set disableLocalAuth of the account; no chatbot uses keys.",
    ),
    Reason(
        "DeploymentMissing",
        None,
        "Finding: spec.deployments names one that the account does not have.",
        "Create it, or take the name out.",
    ),
    Reason(
        "DeploymentNotReady",
        None,
        "Finding: Azure has not finished, or failed to make, a model deployment.",
        "Look at its provisioning state in Azure.",
    ),
    Reason(
        "ModelRetired",
        None,
        "Finding: Azure no longer serves the model of a deployment.",
        "Deploy another version.",
    ),
    Reason(
        "ModelRetiring",
        None,
        "Finding: Azure soon no longer serves the model of a deployment.",
        "Plan for another version.",
    ),
    Reason(
        "HoldsWhatItNeeds",
        None,
        "The operator holds the rights in Azure that it needs for the account.",
        "Nothing.",
    ),
    Reason(
        "HoldsLess",
        None,
        "The operator lacks rights in Azure that it needs for the account.",
        "Assign the roles that the message names. Chatbots that need nothing new go on.",
    ),
    Reason(
        "HoldsMore",
        None,
        "The operator holds rights in Azure that it does not need and that would hurt most.",
        "Take the roles away that give them; deploy/azure/one-role.condition limits what is left.",
    ),
    Reason(
        "OrphanedIdentity",
        None,
        "Finding: a managed identity was made for a chatbot that is gone without letting go of it.",
        "Delete it if nobody needs it, with the command that the finding gives, or several with"
        " `kubectl chatbot orphans --delete`.",
    ),
    Reason(
        "NotOpenAI",
        Stuck,
        "The account is of a kind that answers no OpenAI calls.",
        "Name one of kind OpenAI or AIServices.",
    ),
    Reason(
        "NoCustomSubdomain",
        Stuck,
        "The account has no custom subdomain, so it refuses Entra tokens.",
        "Give it one: `az cognitiveservices account update --custom-domain`.",
    ),
    Reason(
        "NamespaceNotAllowed",
        Stuck,
        "The account does not allow the chatbot's namespace.",
        "Ask those who own it to add the namespace to spec.allowedNamespaces.",
    ),
    Reason(
        "ImageNotAllowed",
        Stuck,
        "The account does not allow this image.",
        "Name one from spec.imageRepositories of the account, or ask its owners.",
    ),
    Reason(
        "ServiceTypeNotAllowed",
        Stuck,
        "The account does not allow Services of this type.",
        "Name one of spec.serviceTypes of the account, or ask its owners.",
    ),
    Reason(
        "AnonymousNotAllowed",
        Stuck,
        "The account does not allow chatbots that anybody may use.",
        "Set spec.access of the chatbot, or ask the account's owners for allowAnonymous.",
    ),
    Reason(
        "IdentityNotAllowed",
        Stuck,
        "Nobody who may say so lets the chatbot run as the identity that spec.identity.existing"
        " names.",
        "Ask the account's owners to list it in spec.identity.existing, or those who own the"
        " identity to tag it with the command that the message gives.",
    ),
    Reason(
        "DeploymentNotAllowed",
        Stuck,
        "The account does not allow this model deployment.",
        "Name one of spec.deployments of the account, or ask its owners.",
    ),
    Reason(
        "MassRevocationHeld",
        Stuck,
        "Many chatbots would lose their access at once, so nothing is taken away yet.",
        "Give the permission back, or confirm: `kubectl annotate chatbot NAME"
        " chatbot-operator.dev/confirm-withdrawal=true`, for many with -l or --all.",
    ),
    Reason(
        "Withdrawn",
        None,
        "The account does not consent any more: no pods run, and the role is gone; of an identity"
        " that others made, the federated credential. Also an event.",
        "A new permission puts everything back.",
    ),
    Reason(
        "AccessRemains",
        None,
        "Permission was withdrawn, but what others made still lets the chatbot in: a role"
        " assignment, or a federated credential.",
        "Delete what the message names.",
    ),
    Reason(
        "OwnershipConflict",
        Stuck,
        "Something of the name that the chatbot needs exists and is not this chatbot's.",
        "Delete it if nobody needs it, or give the chatbot another name. The operator leaves it"
        " alone.",
    ),
    Reason(
        "OwnedByEarlierLife",
        Stuck,
        "The managed identity belongs to an earlier chatbot of this name.",
        "Take it over: `kubectl chatbot rebind NAME` sets its tag chatbot-operator-uid to this"
        " chatbot's uid; or delete it.",
    ),
    Reason(
        "IdentityResourceGroupMissing",
        Stuck,
        "Nobody says where managed identities go.",
        "Set spec.identity.resourceGroup of the AzureOpenAIAccount, or IDENTITY_RESOURCE_GROUP of"
        " the operator.",
    ),
)

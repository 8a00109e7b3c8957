"""Reasons of what is as it should be, and of events that tell what was done."""

from __future__ import annotations

from typing import Final

from chatbot_operator.errors.reasons.reason import Reason

NOTHING: Final = "Nothing."

COURSE: Final = (
    Reason("Ready", None, "The account answers this chatbot's own pods.", NOTHING),
    Reason("Allowed", None, "The account allows the chatbot.", NOTHING),
    Reason("Exists", None, "The managed identity exists.", NOTHING),
    Reason("Assigned", None, "The identity holds the role.", NOTHING),
    Reason("Federated", None, "The identity trusts the chatbot's service account.", NOTHING),
    Reason("PodsRun", None, "The pods run.", NOTHING),
    Reason("Proven", None, "A pod was answered with its own token.", NOTHING),
    Reason("Usable", None, "The account accepts Entra tokens.", NOTHING),
    Reason("Open", None, "The account answers from everywhere.", NOTHING),
    Reason(
        "ExtraAssignment",
        None,
        "The identity holds a role that the chatbot does not need.",
        "Delete the assignments that the message names: `az role assignment delete --ids`.",
    ),
    Reason(
        "SharedIdentity",
        None,
        "An identity that others made can do more than the chatbot needs, or others may be it.",
        "Nothing, if that is meant; else let the chatbot have an identity of its own.",
    ),
    Reason(
        "ExtraCredential",
        None,
        "Somebody else can be the identity by a federated credential that is not the operator's.",
        "Delete those that the message names: `az identity federated-credential delete`.",
    ),
    Reason(
        "SharedServiceAccount",
        None,
        "Other pods use the chatbot's service account and so can be it.",
        "Give them one of their own.",
    ),
    Reason(
        "NotVerified",
        None,
        "Others see to this in Azure, and the operator may not read it; the proof decides.",
        "Let the operator read it if you want it checked.",
    ),
    Reason("NothingForeign", None, "Nothing beyond what the chatbot needs was found.", NOTHING),
    Reason("NotReached", None, "An earlier step is not done.", "Look at that step."),
    Reason(
        "AwaitingProof",
        None,
        "The pods run, and none is ready before one was answered.",
        "Look at AccessProven.",
    ),
    Reason("Creating", None, "The identity is being made.", NOTHING),
    Reason(
        "Suspended", None, "spec.suspend is true: the operator writes nothing.", "Set it to false."
    ),
    Reason("IdentityCreated", None, "Event: the managed identity was made.", NOTHING),
    Reason("IdentityTagged", None, "Event: the identity's tags were put right.", NOTHING),
    Reason(
        "IdentityRebound",
        None,
        "Event: the identity of an earlier chatbot of this name was taken over (REBIND=Auto).",
        NOTHING,
    ),
    Reason("IdentityDeleted", None, "Event: the identity was deleted.", NOTHING),
    Reason("IdentityRetained", None, "Event: the identity stays, marked as retained.", NOTHING),
    Reason("CredentialWritten", None, "Event: the federated credential was written.", NOTHING),
    Reason(
        "CredentialDeleted",
        None,
        "Event: the federated credential under an identity that others made was deleted.",
        NOTHING,
    ),
    Reason(
        "CredentialRetired",
        None,
        "Event: the federated credential for the cluster's former issuer was deleted.",
        NOTHING,
    ),
    Reason("RoleAssigned", None, "Event: the role was assigned.", NOTHING),
    Reason("RoleWithdrawn", None, "Event: the role assignment was deleted.", NOTHING),
    Reason(
        "LeftInAzure",
        None,
        "Event: the chatbot went without what it has in Azure, as leave-azure asked.",
        "Delete what the event lists.",
    ),
    Reason(
        "PodRestarted",
        None,
        "Event: a pod that was made without workload identity was deleted, to be made anew.",
        "If it happens often, look at the workload identity webhook.",
    ),
    Reason(
        "PutBack",
        None,
        "Event: an object of the chatbot was gone and was made again.",
        "If it happens often, find out who deletes it.",
    ),
    Reason(
        "PutRight",
        None,
        "Event: an object of the chatbot had been edited and was put right.",
        "Change the chatbot instead of what it is made of.",
    ),
)

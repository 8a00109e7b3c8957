"""What Azure answers where something is made: the reason it gives, cause and fix first, and the end."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from chatbot_operator.errors import REASONS, Blind, Stuck
from cluster_world import chatbot, key

IDENTITY = "userAssignedIdentities/cb-[^/]*$"
CREDENTIAL = "federatedIdentityCredentials/"
ASSIGNMENT = "roleAssignments/"


@dataclass(frozen=True)
class Answer:
    """What Azure says to a write, and the reason that the status gives."""

    where: str
    status: int
    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.status}-{self.code}-{self.reason}"


CONCURRENT = "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"
ANSWERS = (
    Answer(IDENTITY, 404, "SubscriptionNotFound", "SubscriptionNotFound"),
    Answer(IDENTITY, 409, "MissingSubscriptionRegistration", "ProviderNotRegistered"),
    Answer(IDENTITY, 409, "InvalidResourceLocation", "IdentityLocationConflict"),
    Answer(IDENTITY, 400, "InsufficientQuota", "QuotaExceeded"),
    Answer(IDENTITY, 409, "RequestConflict", "ConcurrentWrites"),
    Answer(CREDENTIAL, 409, CONCURRENT, "ConcurrentWrites"),
    Answer(CREDENTIAL, 405, "BadRequest", "RegionWithoutFederation"),
    Answer(CREDENTIAL, 404, "BadRequest", "AzureResourceMissing"),
    Answer(CREDENTIAL, 404, "ParentResourceNotFound", "AzureResourceMissing"),
    Answer(CREDENTIAL, 400, "BadRequest", "AzureRefused"),
    Answer(ASSIGNMENT, 400, "PrincipalNotFound", "PrincipalReplicating"),
    Answer(ASSIGNMENT, 409, "RoleAssignmentExists", "RoleAssignmentExists"),
    Answer(ASSIGNMENT, 400, "RoleAssignmentUpdateNotPermitted", "RoleAssignmentNameTaken"),
    Answer(ASSIGNMENT, 400, "RoleAssignmentLimitExceeded", "RoleAssignmentLimit"),
    Answer(ASSIGNMENT, 400, "RoleDefinitionDoesNotExist", "RoleMissing"),
    Answer(ASSIGNMENT, 403, "LinkedAuthorizationFailed", "AzureAccessDenied"),
)


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
async def test_what_azure_answers_is_told_with_cause_fix_and_request_and_then_is_over(
    *, operator, hand, azure, namespace, answer
):
    refusal = {"action": "respond", "status": answer.status, "code": answer.code}
    await azure.fault(**refusal, method="PUT", path=answer.where)
    await hand.create(chatbot(namespace))
    ledger = await azure.mark()
    again = await operator.look(key(namespace))
    while not again.failed:
        again = await operator.look(key(namespace))
    known = REASONS[answer.reason]
    assert again.fault.reason == answer.reason
    conditions = await hand.conditions(namespace)
    ready = conditions["Ready"]
    assert ready["reason"] == answer.reason
    assert ready["message"].startswith(f"{known.cause} {known.fix} ")
    refused = [e for e in await azure.writes(ledger) if e["code"] == answer.code]
    assert any(f"(request {each['requestId']})" in ready["message"] for each in refused)
    assert ("Stalled" in conditions) is issubclass(known.fault, Stuck | Blind)
    await azure.heal()
    await operator.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


async def test_a_region_whose_identities_take_no_credentials_is_told(
    operator, hand, namespace, offer
):
    name = await offer(identity={"location": "malaysiasouth"})
    await hand.create(chatbot(namespace, account=name))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "RegionWithoutFederation"
    assert (await hand.conditions(namespace))["FederationReady"]["status"] == "False"

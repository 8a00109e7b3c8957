"""Federated identity credentials: their rules, and Azure's words when they are broken."""

import asyncio

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.msi.v2024_11_30.models import FederatedIdentityCredential
from sandbox.azure import settings as fixed

GROUP = fixed.IDENTITY_GROUP
ISSUER = "https://issuer.example/"
SUBJECT = "system:serviceaccount:team-a:support"
AUDIENCE = "api://AzureADTokenExchange"
IDENTITY = (
    f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups/{GROUP}"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/support"
)
PATH = f"{IDENTITY}/federatedIdentityCredentials"


def document(issuer=ISSUER, subject=SUBJECT, audiences=(AUDIENCE,)):
    return {"properties": {"issuer": issuer, "subject": subject, "audiences": list(audiences)}}


async def test_a_new_credential_is_201_a_changed_one_200_a_deleted_one_200_an_absent_one_204(azure):
    await azure.identity()

    created = await azure.arm("PUT", f"{PATH}/cluster", document())
    changed = await azure.arm("PUT", f"{PATH}/cluster", document(subject=f"{SUBJECT}-2"))
    deleted = await azure.arm("DELETE", f"{PATH}/cluster")
    again = await azure.arm("DELETE", f"{PATH}/cluster")

    assert (created.status_code, changed.status_code) == (201, 200)
    assert created.headers["location"] == created.json()["id"]
    assert (deleted.status_code, deleted.content, again.status_code) == (200, b"", 204)


async def test_the_body_is_the_recorded_one(azure):
    await azure.identity()

    body = (await azure.arm("PUT", f"{PATH}/cluster", document())).json()

    assert body == {
        "id": f"{IDENTITY.replace('resourceGroups', 'resourcegroups')}"
        "/federatedIdentityCredentials/cluster",
        "name": "cluster",
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        **document(),
    }


async def test_the_sdk_reads_and_lists_credentials(azure, issuer):
    await azure.identity()
    await azure.federate("support", issuer.url)
    operations = azure.msi().federated_identity_credentials

    one = await operations.get(GROUP, "support", "cluster")
    names = [c.name async for c in operations.list(GROUP, "support")]

    assert (one.issuer, one.subject, one.audiences) == (issuer.url, SUBJECT, [AUDIENCE])
    assert names == ["cluster"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            document(audiences=["one", "two"]),
            "Federated identity credentials must have exactly one audience.",
        ),
        ({"properties": {}}, "Federated Identity Credential from HTTP body has empty properties"),
        (
            {"properties": {"issuer": ISSUER, "audiences": [AUDIENCE]}},
            (
                "The request format was unexpected. Federated Identity Credential must specify "
                "'issuer', 'subject' and 'audience'."
            ),
        ),
    ],
)
async def test_a_broken_credential_is_a_bad_request(azure, body, message):
    await azure.identity()

    answer = await azure.arm("PUT", f"{PATH}/cluster", body)

    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": "BadRequest", "message": message}}


@pytest.mark.parametrize("name", ["ab", "-ab", "a" * 121, "a.b.c"])
async def test_an_illegal_name_is_refused_in_azures_words(azure, name):
    await azure.identity()

    with pytest.raises(HttpResponseError) as refused:
        await azure.msi().federated_identity_credentials.create_or_update(
            GROUP,
            "support",
            name,
            FederatedIdentityCredential(issuer=ISSUER, subject=SUBJECT, audiences=[AUDIENCE]),
        )

    assert refused.value.status_code == 400
    assert refused.value.error.message == (
        f"Federated Identity Credential name '{name}' is invalid."
    )


async def test_issuer_and_subject_are_unique_under_an_identity(azure):
    await azure.identity()
    await azure.arm("PUT", f"{PATH}/one", document())

    answer = await azure.arm("PUT", f"{PATH}/two", document())

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "Issuer and subject combination already exists for this Managed Identity."
    )


async def test_a_twenty_first_credential_is_refused_but_an_old_one_may_change(azure):
    await azure.identity()
    for number in range(20):
        made = await azure.arm("PUT", f"{PATH}/one-{number}", document(subject=f"s{number}"))
        assert made.status_code == 201

    assert (await azure.arm("PUT", f"{PATH}/more", document())).status_code == 400
    assert (await azure.arm("PUT", f"{PATH}/one-0", document(subject="s"))).status_code == 200


async def test_values_longer_than_600_characters_are_refused(azure):
    await azure.identity()

    answer = await azure.arm("PUT", f"{PATH}/cluster", document(subject="s" * 601))

    assert answer.status_code == 400


async def test_some_locations_do_not_federate(azure):
    await azure.arm("PUT", IDENTITY, {"location": "Malaysia South"})

    answer = await azure.arm("PUT", f"{PATH}/cluster", document())

    assert answer.status_code == 405
    assert answer.json()["error"]["message"] == (
        "The request format was unexpected: Support for federated identity credentials not enabled."
    )


async def test_a_credential_needs_its_parent(azure, issuer):
    with pytest.raises(ResourceNotFoundError) as refused:
        await azure.federate("support", issuer.url)

    assert refused.value.error.code == "ParentResourceNotFound"
    assert refused.value.error.message == (
        "Can not perform requested operation on nested resource. "
        "Parent resource 'support' not found."
    )


async def test_concurrent_writes_under_one_identity_conflict_in_azures_words(azure):
    await azure.identity()
    token = (await azure.token()).json()["access_token"]
    await azure.set(latency_credential=0.3)

    answers = await asyncio.gather(
        *(
            azure.arm("PUT", f"{PATH}/one-{n}", document(subject=f"s{n}"), token=token)
            for n in range(2)
        )
    )

    refused = next(answer for answer in answers if answer.status_code != 201)
    path = (
        f"/subscriptions/{fixed.SUBSCRIPTION}/resourcegroups/{GROUP}"
        "/providers/microsoft.managedidentity/userassignedidentities/support"
    )
    assert refused.status_code == 409
    assert "retry-after" not in refused.headers
    assert refused.json() == {
        "error": {
            "code": "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
            "message": "Too many Federated Identity Credentials are written concurrently for the "
            f"managed identity '{path}'. Concurrent Federated Identity Credentials writes under "
            "the same managed identity are not supported.",
        }
    }


async def test_concurrent_writes_under_different_identities_do_not_conflict(azure):
    token = (await azure.token()).json()["access_token"]
    for name in ("one", "two"):
        await azure.identity(name)
    await azure.set(latency_credential=0.3)

    answers = await asyncio.gather(
        *(
            azure.arm(
                "PUT", PATH.replace("/support/", f"/{name}/") + "/cluster", document(), token=token
            )
            for name in ("one", "two")
        )
    )

    assert [answer.status_code for answer in answers] == [201, 201]


async def test_the_sdk_reports_the_conflict_as_an_existing_resource(azure):
    await azure.identity()
    await azure.fault(
        action="respond",
        plane="arm",
        method="PUT",
        status=409,
        code="ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    )

    with pytest.raises(ResourceExistsError) as refused:
        await azure.federate("support", ISSUER)

    assert refused.value.error.code.startswith("ConcurrentFederated")


async def test_credentials_go_with_their_identity(azure):
    await azure.identity()
    await azure.arm("PUT", f"{PATH}/cluster", document())
    await azure.arm("DELETE", IDENTITY)
    await azure.identity()

    assert (await azure.arm("GET", PATH)).json() == {"value": []}

"""Delays between the parts of Azure, and its throttles, with a clock that the test moves."""

import pytest
from sandbox.azure import settings as fixed

DATA = "https://cognitiveservices.azure.com/.default"
GROUPS = f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups"
ACCOUNT = f"{GROUPS}/openai/providers/Microsoft.CognitiveServices/accounts/contoso"
CREDENTIALS = (
    f"{GROUPS}/chatbot-identities/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/support/federatedIdentityCredentials"
)


@pytest.fixture
async def identity(azure):
    return await azure.identity()


@pytest.fixture
def exchange(azure, issuer, identity, clock):
    """Exchanges a token that is valid at the emulator's time."""

    async def code():
        now = int(clock())
        token = issuer.token(iat=now, nbf=now, exp=now + 3600)
        answer = await azure.exchange(identity.client_id, token)
        return answer.json().get("error_codes", [None])[0]

    return code


async def test_a_credential_is_visible_to_entra_after_a_while(azure, issuer, exchange, clock):
    await azure.set(propagation_federation=10)
    await azure.federate("support", issuer.url)

    assert await exchange() == 70025
    clock.ahead = 9
    assert await exchange() == 70025
    clock.ahead = 11
    assert await exchange() is None


async def test_a_changed_credential_is_seen_as_it_was_for_a_while(azure, issuer, exchange, clock):
    await azure.federate("support", issuer.url, subject="somebody")
    await azure.set(propagation_federation=10)
    clock.ahead = 20
    await azure.federate("support", issuer.url)

    clock.ahead = 25
    assert await exchange() == 700213
    clock.ahead = 31
    assert await exchange() is None


async def test_a_deleted_credential_works_for_a_while(azure, issuer, exchange, clock):
    await azure.federate("support", issuer.url)
    await azure.set(propagation_federation=10)
    clock.ahead = 20
    assert await exchange() is None

    await azure.arm("DELETE", f"{CREDENTIALS}/cluster")

    clock.ahead = 25
    assert await exchange() is None
    clock.ahead = 31
    assert await exchange() == 70025


async def test_a_failed_first_exchange_is_remembered(azure, issuer, exchange, clock):
    await azure.set(propagation_federation=5, failed_exchange_cache=120)
    await azure.federate("support", issuer.url)

    assert await exchange() == 70025
    clock.ahead = 60
    assert await exchange() == 70025
    clock.ahead = 121
    assert await exchange() is None


async def test_an_exchange_that_waits_is_not_poisoned(azure, issuer, exchange, clock):
    await azure.set(propagation_federation=5, failed_exchange_cache=120)
    await azure.federate("support", issuer.url)
    clock.ahead = 6

    assert await exchange() is None


async def test_the_data_plane_learns_of_a_role_late_while_arm_knows_at_once(
    azure, issuer, identity, clock
):
    await azure.federate("support", issuer.url)
    await azure.set(propagation_role=300)
    token = (await azure.exchange(identity.client_id, issuer.token())).json()["access_token"]
    arm = (
        await azure.exchange(identity.client_id, issuer.token(), f"{fixed.ARM_AUDIENCE}/.default")
    ).json()["access_token"]

    async def models():
        headers = {"authorization": f"Bearer {token}"}
        return (await azure.http.get("/contoso/openai/v1/models", headers=headers)).status_code

    name = await azure.assign(identity.principal_id)
    assert (await azure.arm("GET", ACCOUNT, token=arm)).status_code == 200
    assert await models() == 401
    clock.ahead = 301
    assert await models() == 200

    await azure.authorization().role_assignments.delete(ACCOUNT, name)
    assert (await azure.arm("GET", ACCOUNT, token=arm)).status_code == 403
    assert await models() == 200
    clock.ahead = 700
    assert await models() == 401


async def test_nothing_is_throttled_until_it_is_switched_on_but_what_is_left_is_told(azure):
    token = (await azure.token()).json()["access_token"]

    answers = [await azure.arm("GET", GROUPS, token=token) for _ in range(2)]

    assert [a.headers["x-ms-ratelimit-remaining-subscription-reads"] for a in answers] == (
        ["249", "248"]
    )
    assert answers[0].headers["x-ms-ratelimit-remaining-subscription-global-reads"] == "3749"


async def test_reads_beyond_the_bucket_are_429_in_azures_words(azure, clock):
    clock.stop()
    await azure.set(throttling=True)
    token = (await azure.token()).json()["access_token"]

    answers = [await azure.arm("GET", GROUPS, token=token) for _ in range(251)]

    assert {answer.status_code for answer in answers[:250]} == {200}
    refused = answers[250]
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["x-ms-failure-cause"] == "gateway"
    assert refused.json() == {
        "error": {
            "code": "SubscriptionRequestsThrottled",
            "message": f"Number of 'read' requests for subscription '{fixed.SUBSCRIPTION}' actor "
            f"'{fixed.OWNER_OBJECT_ID}' exceeded. Please try again after '1' seconds after "
            "additional tokens are available. Refer to https://aka.ms/arm-throttling for "
            "additional information.",
        }
    }


async def test_credentials_of_one_identity_are_written_every_four_seconds(azure, identity, clock):
    clock.stop()
    await azure.set(throttling=True)
    body = {"properties": {"issuer": "https://i/", "subject": "s", "audiences": ["a"]}}

    first = await azure.arm("PUT", f"{CREDENTIALS}/cluster", body)
    second = await azure.arm("PUT", f"{CREDENTIALS}/cluster", body)
    clock.ahead = 5
    third = await azure.arm("PUT", f"{CREDENTIALS}/cluster", body)

    assert (first.status_code, second.status_code, third.status_code) == (201, 429, 200)
    assert second.headers["retry-after"] == "4"
    assert second.json()["error"]["message"].startswith(
        f"Number of requests for subscription '{fixed.SUBSCRIPTION}' and operation "
        "'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write' "
        "exceeded the backend storage limit. Please try again after '"
    )

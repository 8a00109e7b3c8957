"""What ARM says before a provider is asked: versions, tokens, subscriptions, headers."""

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from sandbox.azure import settings as fixed

GROUPS = f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups"


async def test_a_request_without_a_version_is_refused_before_anything_else(azure):
    answer = await azure.http.get(GROUPS)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "code": "MissingApiVersionParameter",
            "message": "The api-version query parameter (?api-version=) is required for all "
            "requests.",
        }
    }


async def test_any_version_is_served(azure):
    for version in ("2018-11-30", "2025-05-31-preview", "2099-01-01"):
        assert (await azure.arm("GET", GROUPS, version=version)).status_code == 200


async def test_a_missing_token_is_401_with_a_challenge_in_azures_words(azure):
    answer = await azure.http.get(GROUPS, params={"api-version": "1"})

    assert answer.status_code == 401
    assert answer.json() == {
        "error": {
            "code": "AuthenticationFailed",
            "message": "Authentication failed. The 'Authorization' header is missing.",
        }
    }
    assert answer.headers["www-authenticate"] == (
        f'Bearer authorization_uri="https://login.windows.net/{fixed.TENANT}", '
        'error="invalid_token", error_description="The authentication failed because of missing '
        "'Authorization' header.\""
    )


async def test_an_expired_token_is_named_so(azure, clock):
    token = (await azure.token()).json()["access_token"]
    clock.ahead = 90_000

    answer = await azure.arm("GET", GROUPS, token=token)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "ExpiredAuthenticationToken"
    assert answer.json()["error"]["message"].startswith("The access token expiry UTC time '")
    assert "' is earlier than current UTC time '" in answer.json()["error"]["message"]


@pytest.mark.parametrize("forger", ["nobody", "somebody else"])
async def test_a_token_that_entra_did_not_sign_is_invalid(azure, issuer, forger):
    claims = {"aud": fixed.ARM_AUDIENCE, "exp": 9_999_999_999, "oid": fixed.OWNER_OBJECT_ID}
    token = "rubbish" if forger == "nobody" else jwt.encode(claims, issuer.key, "RS256")

    answer = await azure.arm("GET", GROUPS, token=token)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"


async def test_a_token_for_another_audience_is_invalid(azure):
    token = (await azure.token("https://cognitiveservices.azure.com/.default")).json()

    answer = await azure.arm("GET", GROUPS, token=token["access_token"])

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"


async def test_the_sdk_raises_an_authentication_error(azure):
    await azure.fault(action="respond", plane="arm", status=401, code="InvalidAuthenticationToken")

    with pytest.raises(ClientAuthenticationError):
        await azure.identity()


async def test_an_unknown_subscription_is_not_found_in_azures_words(azure):
    other = "00000000-0000-0000-0000-000000000000"

    answer = await azure.arm("GET", f"/subscriptions/{other}/resourceGroups")

    assert answer.status_code == 404
    assert answer.json() == {
        "error": {
            "code": "SubscriptionNotFound",
            "message": f"The subscription '{other}' could not be found.",
        }
    }


async def test_an_unknown_type_is_not_found(azure):
    answer = await azure.arm("GET", f"/subscriptions/{fixed.SUBSCRIPTION}/providers/A.B/things")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "InvalidResourceType"


async def test_every_answer_carries_arms_headers(azure):
    answer = await azure.arm("GET", GROUPS)

    expected = {
        "cache-control": "no-cache",
        "pragma": "no-cache",
        "expires": "-1",
        "strict-transport-security": "max-age=31536000; includeSubDomains",
        "x-content-type-options": "nosniff",
        "content-type": "application/json; charset=utf-8",
    }
    assert expected.items() <= dict(answer.headers).items()
    for name in ("x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id"):
        assert answer.headers[name]
    assert "x-ms-failure-cause" not in answer.headers


async def test_errors_of_arm_itself_say_so_and_errors_of_providers_do_not(azure):
    await azure.identity()
    identities = "Microsoft.ManagedIdentity/userAssignedIdentities"
    path = f"{GROUPS}/chatbot-identities/providers/{identities}"

    gateway = await azure.arm("GET", f"{path}/nobody")
    provider = await azure.arm("PUT", f"{path}/support/federatedIdentityCredentials/x", {})

    assert gateway.headers["x-ms-failure-cause"] == "gateway"
    assert "x-ms-failure-cause" not in provider.headers


async def test_a_body_that_is_not_json_is_refused(azure):
    token = (await azure.token()).json()["access_token"]

    answer = await azure.http.put(
        f"{GROUPS}/new",
        params={"api-version": "1"},
        content=b"{",
        headers={"authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "InvalidRequestContent"


async def test_the_sdk_reads_code_and_message_of_an_error(azure):
    with pytest.raises(HttpResponseError) as refused:
        await azure.identity(group="nowhere")

    assert (refused.value.status_code, refused.value.error.code) == (404, "ResourceGroupNotFound")


async def test_subscriptions_are_those_the_caller_has_a_role_in(azure, issuer):
    identity = await azure.identity()
    await azure.federate("support", issuer.url)
    scope = f"{fixed.ARM_AUDIENCE}/.default"
    token = (await azure.exchange(identity.client_id, issuer.token(), scope)).json()["access_token"]

    async def subscriptions(token=""):
        answer = (await azure.arm("GET", "/subscriptions", token=token)).json()
        return [s["subscriptionId"] for s in answer["value"]]

    assert await subscriptions() == [fixed.SUBSCRIPTION]
    assert await subscriptions(token) == []
    await azure.assign(identity.principal_id)
    assert await subscriptions(token) == [fixed.SUBSCRIPTION]

"""Who is let in to an account's data plane, and with which words the others are not."""

import pytest
from openai import AsyncOpenAI, AuthenticationError
from sandbox.azure import settings as fixed

ACCOUNT = (
    f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups/openai"
    "/providers/Microsoft.CognitiveServices/accounts/contoso"
)
UNAUTHORIZED = {
    "statusCode": 401,
    "message": "Unauthorized. Access token is missing, invalid, audience is incorrect "
    "(https://cognitiveservices.azure.com), or have expired.",
}


@pytest.fixture
async def identity(azure, issuer):
    identity = await azure.identity()
    await azure.federate("support", issuer.url)
    return identity


@pytest.fixture
def ask(azure, issuer, identity):
    """Asks for the models of an account as the identity."""

    async def models(account="contoso", scope="https://cognitiveservices.azure.com/.default"):
        token = (await azure.exchange(identity.client_id, issuer.token(), scope)).json()
        return await azure.http.get(
            f"/{account}/openai/v1/models",
            headers={"authorization": f"Bearer {token['access_token']}"},
        )

    return models


@pytest.mark.parametrize(
    "audience", ["https://cognitiveservices.azure.com", "https://ai.azure.com"]
)
async def test_either_audience_is_accepted_with_the_role(azure, identity, ask, audience):
    await azure.assign(identity.principal_id)

    assert (await ask(scope=f"{audience}/.default")).status_code == 200


async def test_without_a_role_it_is_401_permission_denied_in_azures_words(azure, identity, ask):
    answer = await ask()

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "PermissionDenied"
    assert answer.json()["error"]["message"].startswith(
        f"The principal `{identity.principal_id}` lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/"
    )
    assert answer.json()["error"]["message"].endswith("` operation.")


async def test_the_words_for_a_chat_completion(azure, identity, issuer):
    token = (await azure.exchange(identity.client_id, issuer.token())).json()["access_token"]

    answer = await azure.http.post(
        "/contoso/openai/deployments/gpt-4o/chat/completions",
        params={"api-version": "2024-10-21"},
        json={"messages": [{"role": "user", "content": "hello"}]},
        headers={"authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == (
        f"The principal `{identity.principal_id}` lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to "
        "perform `POST /openai/deployments/{deployment-id}/chat/completions` operation."
    )


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer rubbish"}])
async def test_no_token_or_a_wrong_one_is_401_without_an_envelope(azure, headers):
    answer = await azure.http.get("/contoso/openai/v1/models", headers=headers)

    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


async def test_a_token_for_arm_is_401_without_an_envelope(ask):
    answer = await ask(scope=f"{fixed.ARM_AUDIENCE}/.default")

    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


async def test_an_expired_token_is_401_without_an_envelope(azure, identity, issuer, clock):
    await azure.assign(identity.principal_id)
    token = (await azure.exchange(identity.client_id, issuer.token())).json()["access_token"]
    clock.ahead = 90_000

    answer = await azure.http.get(
        "/contoso/openai/v1/models", headers={"authorization": f"Bearer {token}"}
    )

    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


async def test_keys_are_disabled(azure):
    answer = await azure.http.get("/contoso/openai/v1/models", headers={"api-key": "k"})

    assert answer.status_code == 403
    assert answer.json() == {
        "error": {
            "code": "AuthenticationTypeDisabled",
            "message": "Key based authentication is disabled for this resource.",
        }
    }


async def test_a_wrong_key_is_refused_where_keys_are_allowed(azure):
    await azure.arm("PATCH", ACCOUNT, {"properties": {"disableLocalAuth": False}})

    answer = await azure.http.get("/contoso/openai/v1/models", headers={"api-key": "k"})

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "401"
    assert answer.json()["error"]["message"].startswith(
        "Access denied due to invalid subscription key or wrong API endpoint."
    )


async def test_an_account_without_a_subdomain_takes_no_tokens(azure, ask):
    body = {"location": "eastus", "kind": "OpenAI"}
    await azure.arm("PUT", f"{ACCOUNT}-plain", body)

    answer = await ask("contoso-plain")

    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "code": "BadRequest",
            "message": "Please provide a custom subdomain for token authentication, otherwise API "
            "key is required. (Please see https://aka.ms/cogsvc-authenticatewithtoken)",
        }
    }


@pytest.mark.parametrize("code", ["403", "AccessDenied"])
@pytest.mark.parametrize(
    "properties",
    [{"publicNetworkAccess": "Disabled"}, {"networkAcls": {"defaultAction": "Deny"}}],
)
async def test_a_closed_network_is_403(azure, identity, ask, properties, code):
    await azure.assign(identity.principal_id)
    await azure.set(network_refusal_code=code)
    await azure.arm("PATCH", ACCOUNT, {"properties": properties})

    answer = await ask()

    assert answer.status_code == 403
    assert answer.json() == {
        "error": {"code": code, "message": "Access denied due to Virtual Network/Firewall rules."}
    }


async def test_an_ip_rule_lets_this_machine_in(azure, identity, ask):
    await azure.assign(identity.principal_id)
    rules = {"defaultAction": "Deny", "ipRules": [{"value": "127.0.0.1"}]}
    await azure.arm("PATCH", ACCOUNT, {"properties": {"networkAcls": rules}})

    assert (await ask()).status_code == 200


async def test_an_unknown_account_is_404(ask):
    assert (await ask("nobody")).status_code == 404


async def test_the_openai_client_sees_the_refusal(azure, identity, issuer):
    token = (await azure.exchange(identity.client_id, issuer.token())).json()["access_token"]
    client = AsyncOpenAI(
        base_url=f"{azure.url}/contoso/openai/v1/",
        api_key=token,
        http_client=azure.http,
        max_retries=0,
    )

    with pytest.raises(AuthenticationError) as refused:
        await client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hello"}]
        )

    assert refused.value.code == "PermissionDenied"


async def test_a_role_lets_the_openai_client_chat(azure, identity, issuer):
    await azure.assign(identity.principal_id)
    token = (await azure.exchange(identity.client_id, issuer.token())).json()["access_token"]
    client = AsyncOpenAI(
        base_url=f"{azure.url}/contoso/openai/v1/", api_key=token, http_client=azure.http
    )

    answer = await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "hello"}]
    )

    assert answer.choices[0].message.content

"""The token endpoint for the owner, and the discovery documents."""

import jwt
import pytest
from sandbox.azure import settings as fixed


def code(answer):
    return answer.status_code, answer.json()["error"], answer.json()["error_codes"][0]


async def test_a_token_is_signed_with_the_published_key(azure):
    configuration = (
        await azure.http.get(f"/{fixed.TENANT}/v2.0/.well-known/openid-configuration")
    ).json()
    keys = (await azure.http.get(configuration["jwks_uri"])).json()
    answer = (await azure.token()).json()

    token = answer["access_token"]
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, ["RS256"], audience=fixed.ARM_AUDIENCE)

    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == answer["ext_expires_in"] == 86399
    assert claims["oid"] == fixed.OWNER_OBJECT_ID
    assert claims["iss"] == configuration["issuer"]


async def test_the_owners_credential_works(azure):
    token = await azure.owner().get_token(f"{fixed.ARM_AUDIENCE}/.default")

    assert token.token


async def test_the_lifetime_is_a_setting(azure):
    await azure.set(token_lifetime=60)

    assert (await azure.token()).json()["expires_in"] == 60


async def test_a_wrong_secret_is_refused(azure):
    answer = await azure.token(client_id=fixed.OWNER_CLIENT_ID, client_secret="wrong")

    assert code(answer) == (401, "invalid_client", 7000215)


async def test_some_proof_is_required(azure):
    answer = await azure.token(client_id=fixed.OWNER_CLIENT_ID)

    assert code(answer) == (401, "invalid_client", 7000216)
    assert (
        "'client_assertion', 'client_secret' or 'request' is required for the "
        "'client_credentials' grant type." in answer.json()["error_description"]
    )


@pytest.mark.parametrize("scope", ["", "https://management.azure.com", "a/.default b/.default"])
async def test_a_scope_is_one_resource_and_default(azure, scope):
    assert code(await azure.token(scope)) == (400, "invalid_scope", 1002012)


async def test_an_unknown_tenant_is_refused(azure):
    token = await azure.http.post("/elsewhere/oauth2/v2.0/token", data={})
    configuration = await azure.http.get("/elsewhere/v2.0/.well-known/openid-configuration")

    for answer in (token, configuration):
        assert code(answer) == (400, "invalid_request", 90002)
        assert "AADSTS90002: Tenant 'elsewhere' not found." in answer.json()["error_description"]


async def test_another_grant_is_refused(azure):
    answer = await azure.http.post(
        f"/{fixed.TENANT}/oauth2/v2.0/token", data={"grant_type": "password"}
    )

    assert code(answer) == (400, "unsupported_grant_type", 70003)


@pytest.mark.parametrize("tenant", ["organizations", "common"])
async def test_discovery_knows_the_multi_tenant_names(azure, tenant):
    answer = await azure.http.get(f"/{tenant}/v2.0/.well-known/openid-configuration")

    assert answer.json()["token_endpoint"] == f"{azure.url}/{tenant}/oauth2/v2.0/token"

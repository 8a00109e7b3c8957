"""The exchange of service-account tokens: what must match, and the AADSTS answer when it does not."""

import re
import time

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from cryptography.hazmat.primitives.asymmetric import rsa
from sandbox.azure import settings as fixed

SUBJECT = "system:serviceaccount:team-a:support"
DATA = "https://cognitiveservices.azure.com/.default"
CHECK = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented "
    "assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)


@pytest.fixture
async def identity(azure, issuer):
    identity = await azure.identity()
    await azure.federate("support", issuer.url)
    return identity


def refusal(answer):
    body = answer.json()
    assert body["error_codes"] == [int(re.match(r"AADSTS(\d+): ", body["error_description"])[1])]
    return answer.status_code, body["error"], body["error_codes"][0]


async def test_a_federated_token_is_exchanged_by_the_real_credential(azure, identity, token_file):
    token = await azure.workload(identity.client_id, token_file()).get_token(DATA)

    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert claims["aud"] == "https://cognitiveservices.azure.com"
    assert claims["oid"] == identity.principal_id
    assert claims["appid"] == identity.client_id
    assert claims["tid"] == fixed.TENANT
    assert claims["xms_mirid"] == identity.id
    assert claims["exp"] - claims["iat"] == 86399


async def test_the_refusal_has_entras_body(azure, identity, issuer):
    answer = await azure.exchange(identity.client_id, issuer.token(sub="somebody"))

    body = answer.json()
    assert answer.status_code == 401
    assert set(body) == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    }
    assert body["error"] == "invalid_client"
    assert body["error_codes"] == [700213]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", body["timestamp"])
    assert body["error_description"] == (
        "AADSTS700213: No matching federated identity record found for presented assertion subject "
        f"'somebody'. {CHECK} Trace ID: {body['trace_id']} Correlation ID: "
        f"{body['correlation_id']} Timestamp: {body['timestamp']}"
    )


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "https://other.example/"}, (700211, "issuer 'https://other.example/'")),
        ({"sub": "somebody"}, (700213, "subject 'somebody'")),
        ({"aud": ["api://other"]}, (700212, "audience 'api://other'")),
    ],
)
async def test_issuer_subject_and_audience_must_match(azure, identity, issuer, claims, expected):
    code, what = expected
    answer = await azure.exchange(identity.client_id, issuer.token(**claims))

    assert refusal(answer) == (401, "invalid_client", code)
    assert (
        f"No matching federated identity record found for presented assertion {what}. {CHECK}"
        in answer.json()["error_description"]
    )


async def test_a_difference_in_case_has_a_code_of_its_own(azure, identity, issuer):
    answer = await azure.exchange(identity.client_id, issuer.token(sub=SUBJECT.upper()))

    assert refusal(answer) == (401, "invalid_client", 7002138)


async def test_the_issuers_trailing_slash_counts(azure, identity, issuer):
    answer = await azure.exchange(identity.client_id, issuer.token(iss=issuer.url.rstrip("/")))

    assert refusal(answer) == (401, "invalid_client", 700211)


async def test_an_identity_without_credentials_says_so(azure, issuer):
    identity = await azure.identity()

    answer = await azure.exchange(identity.client_id, issuer.token())

    assert refusal(answer) == (401, "invalid_client", 70025)
    assert (
        f"The client '{identity.client_id}'(support) has no configured federated identity "
        "credentials." in answer.json()["error_description"]
    )


async def test_an_unknown_client_is_an_unauthorized_one(azure, issuer):
    answer = await azure.exchange(fixed.TENANT, issuer.token())

    assert refusal(answer) == (400, "unauthorized_client", 700016)
    assert (
        f"Application with identifier '{fixed.TENANT}' was not found in the directory "
        f"'{fixed.TENANT}'." in answer.json()["error_description"]
    )


async def test_the_client_of_a_deleted_identity_is_unknown(azure, identity, issuer):
    await azure.msi().user_assigned_identities.delete("chatbot-identities", "support")

    answer = await azure.exchange(identity.client_id, issuer.token())

    assert refusal(answer) == (400, "unauthorized_client", 700016)


@pytest.mark.parametrize("shift", [-7200, 7200])
async def test_an_assertion_has_a_valid_time_range(azure, identity, issuer, shift):
    now = int(time.time()) + shift

    answer = await azure.exchange(identity.client_id, issuer.token(nbf=now, iat=now, exp=now + 600))

    assert refusal(answer) == (401, "invalid_client", 700024)
    assert (
        "Client assertion is not within its valid time range. Current time: "
        in answer.json()["error_description"]
    )


@pytest.mark.parametrize(("status", "error"), [(400, "invalid_request"), (401, "invalid_client")])
async def test_a_signature_by_another_key_is_refused(azure, identity, issuer, status, error):
    await azure.set(bad_assertion_status=status)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    forged = jwt.encode(claims, stranger, "RS256", headers={"kid": issuer.key_id})

    assert refusal(await azure.exchange(identity.client_id, forged)) == (status, error, 50027)


async def test_only_rs256_is_accepted(azure, identity, issuer):
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    forged = jwt.encode(claims, "x" * 64, "HS256", headers={"kid": issuer.key_id})

    assert refusal(await azure.exchange(identity.client_id, forged))[2] == 50027


@pytest.mark.parametrize("assertion", ["rubbish", "a.b.c"])
async def test_an_assertion_must_be_a_jwt(azure, identity, assertion):
    assert refusal(await azure.exchange(identity.client_id, assertion))[2] == 50027


async def test_the_issuers_keys_are_fetched_once_and_again_when_they_rotate(
    azure, identity, issuer
):
    first = await azure.exchange(identity.client_id, issuer.token())
    second = await azure.exchange(identity.client_id, issuer.token())
    assert (first.status_code, second.status_code) == (200, 200)
    assert issuer.asked == ["discovery", "keys"]

    issuer.rotate()

    third = await azure.exchange(identity.client_id, issuer.token())
    assert third.status_code == 200
    assert issuer.asked == ["discovery", "keys"] * 2


async def test_an_issuer_that_does_not_answer_is_external_trouble(azure, identity, issuer):
    issuer.broken = True

    answer = await azure.exchange(identity.client_id, issuer.token())

    assert refusal(answer) == (400, "invalid_request", 90061)
    assert "Request to External OIDC endpoint failed." in answer.json()["error_description"]


async def test_the_credential_reports_the_code(azure, identity, token_file):
    with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
        await azure.workload(identity.client_id, token_file(sub="somebody")).get_token(DATA)

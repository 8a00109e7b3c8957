"""docs/contract.md, and both sides held to it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import UserDict
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import certifi
import chatbot_app
import pytest
from chatbot_app import ops, serving, standing
from chatbot_app.claims import Presented
from chatbot_app.reasons import Reason, Refusal
from chatbot_app.settings import EntraToken, ProxyHeaders, SettingsError
from chatbot_app.settings import parse as read_settings
from chatbot_operator import manifests
from chatbot_operator.errors import TABLE, Fault, Service
from chatbot_operator.kube import pods
from chatbot_operator.pod_settings import RESERVED_VARIABLE
from chatbot_operator.ports import Credential, Outlet, Readiness
from chatbot_operator.ports import Presented as Read
from chatbot_operator.settings import VARIABLES as VARIABLES_OF_THE_OPERATOR
from chatbot_operator.settings import Settings as OperatorSettings
from chatbot_operator.settings import SettingsError as OperatorSettingsError
from chatbot_operator.steps import proof
from prometheus_client import CollectorRegistry
from unit.bodies import IDENTITY, INSTALLATION, wanted

CONTRACT = (Path(__file__).parent.parent / "docs" / "contract.md").read_text()
OF_LIBRARIES = {"HTTPS_PROXY", "NO_PROXY"}
"""Part of the contract, and read by what speaks HTTP for the chatbot."""
OF_EVERY_PROCESS = {"SSL_CERT_FILE"}
"""OpenSSL's own: no part of the contract, set for whatever runs behind a company's proxy."""

NOW = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
PROVEN_AT = "2026-01-31T11:00:00Z"
OLD_GRANTS = proof.Grants(
    role=NOW - dt.timedelta(days=1),
    federation=NOW - dt.timedelta(days=1),
    deadline=dt.timedelta(minutes=15),
    credential=Credential("cb-1", "https://issuer/", "system:serviceaccount:a:b", ("api://x",)),
)


def table(heading):
    """Rows of the first table under a heading or after a text, without its own header."""
    _, _, rest = CONTRACT.partition(f"{heading}\n")
    rows = re.search(r"(?m)^\|.*\n\|-.*\n((?:\|.*\n)+)", rest)
    assert rows, heading
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1].splitlines()]


VARIABLES = {name.strip("`"): default for name, _, default in table("## Environment")}
PORTS = {int(port): what for port, what, _ in table("## Ports")}
REASONS = {
    reason.strip("`"): kind
    for reason, _, kind in table("at most 256 characters, no control characters, no token.")
}
INJECTED = {
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
}
OLDER = {"OPENAI_API_BASE", "DEPLOYMENT_NAME"}


class Recording(UserDict):
    """An environment that notes which names are read."""

    read: ClassVar[set[str]] = set()

    def get(self, key, default=None):
        self.read.add(key)
        return super().get(key, default)


def container(**given):
    template = manifests.deployment(wanted(**given))["spec"]["template"]
    (one,) = template["spec"]["containers"]
    return one


def given_by_the_operator(**given):
    entries = container(**given)["env"]
    return {entry["name"]: entry.get("value", "10.0.0.1") for entry in entries}


OUTLET = Outlet("http://proxy.corp:3128", "10.0.0.0/8,.corp", Path(certifi.where()).read_text())
PROXY = {"proxyHeaders": {"user": "X-User", "trustedPeers": ["10.0.0.0/8", "fd00::/8"]}}
ENTRA_ID = "44444444-4444-4444-8444-444444444444"
TOKEN = {
    "audiences": ["api://bot", "api://b2"],
    "header": "X-Token",
    "groups": [ENTRA_ID],
    "trustedPeers": ["10.0.0.0/8"],
}
FULL = given_by_the_operator(
    daily_tokens=50000,
    outlet=OUTLET,
    api={"openAI": True},
    access=PROXY,
    openai={
        "apiVersion": "2024-10-21",
        "temperature": 0.5,
        "topP": 0.9,
        "maxOutputTokens": 800,
        "contextWindow": 128000,
    },
    chat={
        "title": "Help",
        "systemPrompt": "Be kind.",
        "welcome": "Hello $(HOST)",
        "starters": ["Why? 🙂"],
        "disclaimer": "No advice.",
        "memory": {"maxTurns": 5, "maxTokens": 9000},
        "answersAtOnce": {"perPod": 100, "perUser": 4},
    },
)


OTHERWISE = given_by_the_operator(access={"entraToken": TOKEN})
"""The other way to say who may chat."""
IN_A_POD = {**FULL, "EXTRA_CA_FILE": certifi.where()}
"""As the chatbot finds it: what is mounted is there."""


def test_the_operator_sets_the_names_of_the_contract_and_no_others():
    assert FULL.keys() | OTHERWISE.keys() == VARIABLES.keys()


def test_the_chatbot_reads_the_names_of_the_contract_and_no_others():
    read_settings(Recording({**IN_A_POD, "AZURE_FEDERATED_TOKEN_FILE": "/token"}))
    with pytest.raises(SettingsError):
        read_settings(Recording())
    names = VARIABLES.keys() - OF_LIBRARIES
    assert Recording.read == names | INJECTED | OLDER | OF_EVERY_PROCESS
    assert all(f"`{name}`" in CONTRACT for name in INJECTED | OLDER)


def test_the_chatbot_understands_what_the_operator_sets():
    settings = read_settings(IN_A_POD)
    assert settings.host == "10.0.0.1"
    assert (settings.port, settings.ops_port) == (manifests.PAGE_PORT, manifests.OPS_PORT)
    assert settings.endpoint == "https://contoso.openai.azure.com/"
    assert (settings.deployment, settings.title) == ("gpt-4o", "Help")
    assert (settings.temperature, settings.top_p, settings.max_output_tokens) == (0.5, 0.9, 800)
    assert (settings.api_version, settings.context_window) == ("2024-10-21", 128000)
    assert (settings.memory_turns, settings.memory_tokens) == (5, 9000)
    assert (settings.answers_at_once, settings.answers_per_user) == (100, 4)
    assert settings.openai_api
    assert settings.starters == ("Why? 🙂",)
    assert settings.disclaimer == "No advice."
    assert (settings.proof_delay, settings.proof_recheck) == (15, 300)
    assert settings.daily_tokens == 50000
    assert isinstance(settings.access, ProxyHeaders)
    assert settings.access.header == "X-User"
    assert [str(peer) for peer in settings.access.peers] == ["10.0.0.0/8", "fd00::/8"]
    assert settings.principal_id == IDENTITY.principal_id
    bare = read_settings(given_by_the_operator())
    assert (bare.temperature, bare.max_output_tokens, bare.system_prompt) == (None, None, "")


@pytest.mark.parametrize("tenant", ["", ENTRA_ID.upper()])
def test_the_chatbot_understands_which_tokens_the_operator_means(tenant):
    said = TOKEN | ({"tenantId": tenant} if tenant else {})
    access = read_settings(given_by_the_operator(access={"entraToken": said})).access
    assert isinstance(access, EntraToken)
    assert access.audiences == ("api://bot", "api://b2")
    assert access.tenant == (ENTRA_ID if tenant else INSTALLATION.tenant_id)
    assert (access.header, access.groups) == ("X-Token", {ENTRA_ID})
    assert [str(peer) for peer in access.peers] == ["10.0.0.0/8"]
    least = {"audiences": ["a"], "header": "Authorization"}
    access = read_settings(given_by_the_operator(access={"entraToken": least})).access
    assert isinstance(access, EntraToken)
    assert (access.groups, access.peers) == (frozenset(), ())
    assert access.header == VARIABLES["ACCESS_TOKEN_HEADER"].strip("`")


def test_a_team_cannot_set_what_the_operator_and_the_webhook_set():
    names = VARIABLES.keys() | INJECTED | OLDER | OF_EVERY_PROCESS
    assert [name for name in names if not RESERVED_VARIABLE.fullmatch(name)] == []
    assert not RESERVED_VARIABLE.fullmatch("TZ")


@pytest.mark.parametrize("name", ["PROOF_DELAY_SECONDS", "PROOF_RECHECK_SECONDS"])
@pytest.mark.parametrize("seconds", ["0", "0.5", "1", "86400", "86401", "1e9"])
def test_the_operator_takes_no_delay_that_the_chatbot_refuses(name, seconds):
    needed = {v.name: "x" for v in VARIABLES_OF_THE_OPERATOR if v.default is None}
    with suppress(OperatorSettingsError):
        OperatorSettings.parse({**needed, name: seconds})
        read_settings({**IN_A_POD, name: seconds})


def test_the_operator_gives_the_files_that_it_names():
    of = wanted(chat={"systemPrompt": "Be kind."})
    given = manifests.config_map(of.chatbot, since=PROVEN_AT, authorities=OUTLET.authorities)
    files = given["data"]
    (mount,) = container()["volumeMounts"]
    for name in ("SYSTEM_PROMPT_FILE", "CREDENTIAL_SINCE_FILE", "EXTRA_CA_FILE"):
        directory, _, file = FULL[name].rpartition("/")
        assert directory == mount["mountPath"]
        assert file in files


def test_what_has_no_default_is_required_and_the_rest_has_the_one_of_the_contract():
    required = {name for name, default in VARIABLES.items() if default == "required"}
    settings = read_settings(dict.fromkeys(required, "https://x.openai.azure.com/"))
    defaults = {
        "HOST": settings.host,
        "PORT": settings.port,
        "AZURE_OPENAI_SCOPE": settings.scope,
        "CHAT_TITLE": settings.title,
        "CHAT_ANSWERS_AT_ONCE": settings.answers_at_once,
        "CHAT_ANSWERS_PER_USER": settings.answers_per_user,
        "PROOF_DELAY_SECONDS": f"{settings.proof_delay:g}",
        "PROOF_RECHECK_SECONDS": f"{settings.proof_recheck:g}",
    }
    for name, value in defaults.items():
        assert VARIABLES[name].split("`")[1] == str(value)
    assert not settings.openai_api
    unset = (settings.ops_port, settings.temperature, settings.max_output_tokens)
    assert (*unset, settings.daily_tokens, settings.access) == (None,) * 5
    assert (settings.credential_since_file, settings.principal_id) == (None, "")


def test_the_ports_are_those_of_the_contract():
    exposed = {port["name"]: port["containerPort"] for port in container()["ports"]}
    assert set(exposed.values()) == PORTS.keys() == {manifests.PAGE_PORT, manifests.OPS_PORT}
    assert "/api/chat" in PORTS[exposed["http"]]
    assert "/readyz" in PORTS[exposed["ops"]]
    (port,) = manifests.service(wanted().chatbot)["spec"]["ports"]
    assert port["targetPort"] == "http"


def test_a_pod_is_given_the_time_that_its_last_answer_may_take():
    given = manifests.deployment(wanted())["spec"]["template"]["spec"]
    grace = given["terminationGracePeriodSeconds"]
    needed = int(serving.LINGER_SECONDS) + serving.DRAIN_SECONDS
    assert 120 < serving.DRAIN_SECONDS < needed < grace == manifests.GRACE_SECONDS
    assert f"after {needed} seconds at the latest. The operator gives pods {grace}" in CONTRACT


def test_the_probes_ask_where_the_chatbot_answers():
    app = ops.probes(standing.Standing, draining=bool, registry=CollectorRegistry())
    answered = {route.path for route in app.routes}
    asked = {container()[kind]["httpGet"]["path"] for kind in ("readinessProbe", "livenessProbe")}
    assert asked == answered - {"/metrics"} == {"/livez", "/readyz"}
    assert all(f"`{path}`" in PORTS[manifests.OPS_PORT] for path in answered)


def test_the_chatbot_can_say_the_reasons_of_the_contract_and_no_others():
    assert {str(reason) for reason in Reason} == REASONS.keys()
    source = "".join(file.read_text() for file in Path(chatbot_app.__file__).parent.glob("*.py"))
    assert [reason for reason in Reason if f"Reason.{reason.name}" not in source] == []


def test_the_operator_knows_no_reasons_but_those_of_the_contract():
    known = {row.code for row in TABLE if row.service is Service.POD}
    assert known == REASONS.keys() - {"Proven"} | {None}


def judged(reason):
    """What the operator makes of a reason after a proof: a word for the status, and whether it is a fault."""
    try:
        proven = proof.judge([Readiness(reason, "", PROVEN_AT)], OLD_GRANTS, NOW)
    except Fault as fault:
        return fault.reason, "about us"
    return "", "passing" if proven.trouble else ""


@pytest.mark.parametrize(("reason", "kind"), REASONS.items())
def test_both_sides_mean_the_same_by_a_reason(reason, kind):
    word, taken_for = judged(reason)
    assert taken_for == kind
    assert word != "UnknownReadiness"


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("proven_at", [None, NOW])
def test_the_operator_reads_what_the_chatbot_writes(reason, proven_at):
    refusal = Refusal(reason, "AADSTS70021: für 例 🙂 " * 40, trace="0a1b-2c")
    claims = ("https://issuer/" + "i" * 585, "system:serviceaccount:a:b", "api://x")
    now = standing.Standing(proven_at=proven_at, proof=refusal, presented=Presented(*claims))
    written = standing.document(now)
    read = pods.parse(json.dumps(written).encode())
    told = (written["message"], written["provenAt"] or "")
    assert read == Readiness(reason, *told, Read(*claims), "0a1b-2c")
    bare = standing.document(standing.Standing(proven_at=proven_at, proof=Refusal(reason)))
    assert pods.parse(json.dumps(bare).encode()).presented is None
    assert len(written["message"]) <= 256

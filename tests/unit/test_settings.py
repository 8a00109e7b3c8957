"""The operator's settings."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import certifi
import pytest
import settings_page
from chatbot_operator.settings import (
    VARIABLES,
    Settings,
    SettingsError,
    certificates,
    issuer,
    table,
)
from hypothesis import given
from hypothesis import strategies as st

NEEDED = {
    "CHATBOT_IMAGE": "chatbot:1",
    "AZURE_CLIENT_ID": "client",
    "AZURE_TENANT_ID": "tenant",
    "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token",
}


def complaints(**environment):
    with pytest.raises(SettingsError) as caught:
        Settings.parse(environment)
    return str(caught.value).splitlines()


def token(**claims):
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


def test_four_settings_are_enough():
    parsed = Settings.parse(NEEDED)
    assert parsed.image == "chatbot:1"
    assert parsed.arm_endpoint == "https://management.azure.com"
    assert (parsed.workers, parsed.probe_port) == (16, 8080)
    assert (parsed.proof_delay, parsed.resync) == (15, 3600)


CLOUDS = {
    "Public": (
        "https://login.microsoftonline.com/",
        "https://management.azure.com",
        "https://management.azure.com/.default",
        "https://cognitiveservices.azure.com/.default",
    ),
    "USGovernment": (
        "https://login.microsoftonline.us/",
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net/.default",
        "https://cognitiveservices.azure.us/.default",
    ),
    "China": (
        "https://login.chinacloudapi.cn/",
        "https://management.chinacloudapi.cn",
        "https://management.chinacloudapi.cn/.default",
        "https://cognitiveservices.azure.cn/.default",
    ),
}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cloud_is_one_setting(cloud):
    chosen = Settings.parse({**NEEDED, "AZURE_CLOUD": cloud})
    where = (chosen.authority, chosen.arm_endpoint, chosen.arm_scope, chosen.data_scope)
    assert where == CLOUDS[cloud]
    assert chosen.audience == "api://AzureADTokenExchange"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("AZURE_AUTHORITY_HOST", "authority"),
        ("ARM_ENDPOINT", "arm_endpoint"),
        ("ARM_SCOPE", "arm_scope"),
        ("OPENAI_SCOPE", "data_scope"),
        ("TOKEN_AUDIENCE", "audience"),
    ],
)
def test_what_a_cloud_says_can_be_said_otherwise(name, field):
    china = Settings.parse({**NEEDED, "AZURE_CLOUD": "China"})
    other = Settings.parse({**NEEDED, "AZURE_CLOUD": "China", name: "https://other"})
    assert other == replace(china, **{field: "https://other"})


def test_a_cloud_that_is_none_is_refused():
    (line,) = complaints(**NEEDED, AZURE_CLOUD="Moon")
    assert "Public, USGovernment, China" in line


def test_all_that_is_missing_is_named_at_once():
    assert [line.split()[0] for line in complaints()] == list(NEEDED)


def test_all_that_is_wrong_is_named_with_what_is_missing():
    lines = complaints(WORKERS="many", RESYNC_SECONDS="-1", CHATBOT_IMAGE="chatbot:1")
    assert {line.split()[0] for line in lines} == {
        "RESYNC_SECONDS",
        "WORKERS",
        *(NEEDED.keys() - {"CHATBOT_IMAGE"}),
    }


def test_an_empty_setting_counts_as_unset():
    assert Settings.parse({**NEEDED, "RESYNC_SECONDS": ""}).resync == 3600
    assert len(complaints(**{**NEEDED, "CHATBOT_IMAGE": ""})) == 1


@pytest.mark.parametrize("value", ["-1", "x", "nan", "inf", "-inf", "1e999", "1,5", "86401"])
@pytest.mark.parametrize("name", ["RESYNC_SECONDS", "PROOF_DELAY_SECONDS", "WORKERS", "PROBE_PORT"])
def test_a_number_must_be_one(name, value):
    (line,) = complaints(**NEEDED, **{name: value})
    assert line.startswith(name)
    assert value in line


def test_namespaces_are_a_list_and_all_by_default():
    assert Settings.parse(NEEDED).watched == ()
    assert Settings.parse({**NEEDED, "WATCH_NAMESPACES": "a, b,c"}).watched == ("a", "b", "c")


def test_an_operator_without_workers_is_refused():
    (line,) = complaints(**NEEDED, WORKERS="0")
    assert line.startswith("WORKERS")


@given(st.dictionaries(st.sampled_from([v.name for v in VARIABLES]), st.text(max_size=8)))
def test_settings_are_read_or_refused_whatever_they_say(environment):
    with suppress(SettingsError):
        assert Settings.parse(environment).workers >= 1


def test_help_names_every_setting():
    lines = table().splitlines()
    assert [line.split()[0] for line in lines] == [v.name for v in VARIABLES]
    assert sum("(required)" in line for line in lines) == len(NEEDED)


@pytest.mark.parametrize(
    "address",
    ["https://oidc.example/tenant/", "https://oidc.example/tenant", "https://例.example/ü/"],
)
def test_the_issuer_is_that_of_the_token_byte_for_byte(address):
    assert issuer(token(iss=address, sub="x")) == address


@given(st.integers(0, 8))
def test_the_issuer_is_read_whatever_the_length_of_the_claims(length):
    assert issuer(token(iss="https://i/", pad="x" * length)) == "https://i/"


def test_rebind_is_auto_or_manual():
    assert not Settings.parse(NEEDED).rebind
    assert not Settings.parse({**NEEDED, "REBIND": "Manual"}).rebind
    assert Settings.parse({**NEEDED, "REBIND": "Auto"}).rebind
    assert complaints(**NEEDED, REBIND="auto") == ["REBIND is none of Auto, Manual: 'auto'"]


def test_a_file_of_certificates_is_read_as_it_is():
    assert certificates("CHATBOT_CA_FILE", "") == ""
    assert certificates("CHATBOT_CA_FILE", certifi.where()) == Path(certifi.where()).read_text()


@pytest.mark.parametrize("content", [None, "", "no certificate", "\u00e9", "KEY"])
def test_a_file_that_holds_anything_else_is_refused(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content == "KEY":
        key = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"
        file.write_text(Path(certifi.where()).read_text() + key)
    elif content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match="CHATBOT_CA_FILE"):
        certificates("CHATBOT_CA_FILE", str(file))


def test_the_operator_says_which_file_is_of_no_use_and_ends():
    environment = {**NEEDED, "EXTRA_CA_FILE": "/nowhere/ca.pem"}
    done = subprocess.run(
        [sys.executable, "-m", "chatbot_operator"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "EXTRA_CA_FILE" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_page_says_what_the_code_says():
    assert settings_page.PAGE.read_text() == settings_page.page(), "run `make reference`"

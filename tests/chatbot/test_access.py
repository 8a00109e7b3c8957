"""Who may chat: whoever the proxy in front signed in, and nobody who only says so."""

from __future__ import annotations

import ipaddress

import httpx2
import pytest
from chatbot.talking import post
from chatbot_app.access.peers import within
from chatbot_app.settings import SettingsError, parse

NEEDED = {
    "AZURE_OPENAI_ENDPOINT": "https://acc.openai.azure.com/",
    "AZURE_OPENAI_DEPLOYMENT": "gpt",
}
ROUTES = ["", "index.html", "app.js", "icon.svg", "api/config", "nowhere"]


def behind(launch, peers):
    return launch(ACCESS_USER_HEADER="X-User", ACCESS_TRUSTED_PEERS=peers, OPS_PORT=None)


@pytest.fixture
def open_to_us(launch):
    return behind(launch, "10.0.0.0/8,127.0.0.0/8")


def test_nothing_is_answered_without_the_header(open_to_us, upstream):
    for route in ROUTES:
        response = httpx2.get(f"{open_to_us.page}{route}")
        assert response.status_code == 401, route
        assert "sign in" in response.text
        assert "content-security-policy" in response.headers
        assert response.headers["cache-control"] == "no-store"
    refused = post(open_to_us)
    assert refused.status_code == 401
    assert "sign in" in refused.json()["message"]
    assert post(open_to_us, **{"X-User": ""}).status_code == 401
    assert upstream.chats == []


def test_whoever_the_proxy_names_is_answered(open_to_us):
    named = {"X-User": "ada@example.com"}
    assert httpx2.get(open_to_us.page, headers=named).status_code == 200
    assert post(open_to_us, **named).status_code == 200


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"Jos\xc3\xa9", "José"),
        (b"Jos\xe9", "José"),
        ("李小龍".encode(), "李小龍"),
        (b"Ada", "Ada"),
    ],
)
def test_a_name_is_read_as_the_proxy_wrote_it(open_to_us, sent, shown):
    config = httpx2.get(f"{open_to_us.page}api/config", headers=[(b"X-User", sent)])
    assert config.json()["user"] == shown


def test_a_visitor_is_told_apart_by_what_is_always_the_same_and_says_nothing(open_to_us):
    def visitor(name):
        return httpx2.get(f"{open_to_us.page}api/config", headers={"X-User": name}).json()[
            "visitor"
        ]

    assert visitor("ada") == visitor("ada") != visitor("bob")
    assert "ada" not in visitor("ada")


def test_a_name_beside_another_is_nobodys(open_to_us, upstream):
    both = [("X-User", "eve"), ("x-user", "ada")]
    for route in ROUTES:
        assert httpx2.get(f"{open_to_us.page}{route}", headers=both).status_code == 401, route
    assert upstream.chats == []


def test_the_header_of_a_stranger_means_nothing(launch, upstream):
    chatbot = behind(launch, "10.0.0.0/8")
    spoofed = {"X-User": "ada@example.com", "X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.1"}
    for route in ROUTES:
        assert httpx2.get(f"{chatbot.page}{route}", headers=spoofed).status_code == 401, route
    assert post(chatbot, **spoofed).status_code == 401
    assert upstream.chats == []


def test_probes_need_no_sign_in(launch):
    chatbot = launch(ACCESS_USER_HEADER="X-User", ACCESS_TRUSTED_PEERS="10.0.0.0/8")
    assert chatbot.until("Proven")[0] == 200


def test_without_a_setting_the_header_means_nothing(launch):
    chatbot = launch(OPS_PORT=None)
    assert httpx2.get(chatbot.page).status_code == 200


@pytest.mark.parametrize(
    ("peer", "believed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("fd00::7", True),
        ("11.0.0.1", False),
        ("::ffff:11.0.0.1", False),
        ("fe80::7", False),
        ("::ffff:0a01:0203", True),
        ("::10.1.2.3", False),
        ("64:ff9b::10.1.2.3", False),
        ("FD00::7", True),
        ("10.1.2.3, 11.0.0.1", False),
        ("010.1.2.3", False),
        ("", False),
        ("unix", False),
    ],
)
def test_a_peer_is_known_by_its_address(peer, believed):
    networks = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "fd00::/8")))
    assert within(peer, networks) is believed


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"ACCESS_USER_HEADER": "X-User"}, "ACCESS_TRUSTED_PEERS"),
        ({"ACCESS_TRUSTED_PEERS": "10.0.0.0/8"}, "ACCESS_USER_HEADER"),
        ({"ACCESS_USER_HEADER": "X-User", "ACCESS_TRUSTED_PEERS": "all"}, "ACCESS_TRUSTED_PEERS"),
    ],
)
def test_half_a_setting_lets_nobody_in(given, wrong):
    with pytest.raises(SettingsError) as caught:
        parse(NEEDED | given)
    assert wrong in str(caught.value)

"""Behind a company's proxy and its own authority, as a real process."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import certifi
import pytest
from background import running
from chatbot.talking import events, post
from chatbot_app.trust import trust
from connect_proxy import connect_proxy


@pytest.fixture
def proxy():
    with running(connect_proxy()) as one:
        yield one


def test_everything_goes_through_the_proxy_and_trusts_the_authority_besides_the_system(
    launch, upstream, authority, proxy
):
    chatbot = launch(
        SSL_CERT_FILE=None, EXTRA_CA_FILE=str(authority.certificate), HTTPS_PROXY=proxy.url
    )
    chatbot.until("Proven")
    before = len(proxy.asked)
    assert before >= 2, "Entra and the account"
    assert set(proxy.asked) == {urlsplit(upstream.address).netloc}
    assert events(post(chatbot).text)[-1][0] != "error"
    assert len(upstream.exchanges) == 1


def test_what_needs_no_proxy_is_reached_without_it(launch, proxy):
    chatbot = launch(HTTPS_PROXY=proxy.url, NO_PROXY="127.0.0.1")
    chatbot.until("Proven")
    assert proxy.asked == []


def test_without_the_authority_nobody_is_believed(launch, proxy):
    chatbot = launch(SSL_CERT_FILE=None, HTTPS_PROXY=proxy.url)
    chatbot.until("AuthorityUnreachable")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_certificates_is_named(launch, tmp_path, content):
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_text(content)
    chatbot = launch(OPS_PORT="0", EXTRA_CA_FILE=str(file))
    _, document = chatbot.until("Misconfigured")
    assert "EXTRA_CA_FILE" in document["message"]


def test_the_system_is_trusted_as_before(authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    system = ssl.create_default_context()
    both = trust(str(authority.certificate))
    assert len(both.get_ca_certs()) == len(system.get_ca_certs()) + 1

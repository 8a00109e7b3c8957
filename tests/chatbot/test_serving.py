"""The sockets that visitors come to."""

from __future__ import annotations

import socket

import pytest
from chatbot_app.serving import listen, listen_near


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_token_does_not_wait_for_the_one_before_to_be_acknowledged(host):
    try:
        listener = listen(host, 0)
    except OSError:
        pytest.skip(f"no {host} on this machine")
    address = listener.getsockname()[:2]
    with listener, socket.create_connection(address):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_page_at_a_pods_address_is_on_loopback_too_where_the_kubelet_forwards_ports_from():
    with listen(own_address(), 0) as page:
        near = listen_near(page)
        assert near is not None
        with near, socket.create_connection(("127.0.0.1", page.getsockname()[1])):
            assert listen_near(page) is None, "somebody else's by now"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "0.0.0.0"])
def test_what_is_on_loopback_already_is_not_served_there_twice(host):
    with listen(host, 0) as page:
        assert listen_near(page) is None


def own_address():
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no other address than loopback")
        return probe.getsockname()[0]

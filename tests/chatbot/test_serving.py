"""The sockets that visitors come to."""

from __future__ import annotations

import socket

import pytest
from chatbot_app.serving import listen


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

"""Services lead to ready pods in turn, and to nothing else."""

from __future__ import annotations

import urllib.error

import pytest
from pods import get, until, web
from sandbox.processes import free_port


@pytest.fixture
def url(namespace, sandbox):
    spec = {"selector": {"app": "web"}, "ports": [{"port": 8087, "targetPort": "http"}]}
    meta = {"name": "web"}
    namespace.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    return sandbox.call(sandbox.cluster.services.address_of(namespace.name, "web"))


def refused(url):
    try:
        get(url)
    except (urllib.error.URLError, ConnectionError):
        return True
    return False


def test_connections_go_to_ready_pods_in_turn(namespace, url):
    for name in ("a", "b"):
        namespace.apply(web(name))
        namespace.ready(name)

    until(lambda: [get(url) for _ in range(4)] in (["a", "b"] * 2, ["b", "a"] * 2))


def test_only_ready_pods_are_reached(namespace, url):
    assert refused(url)
    for name in ("a", "b"):
        namespace.apply(web(name))
        namespace.ready(name)
    until(lambda: not refused(url))

    get(namespace.url("a", "/ready?500"), data=b"")
    namespace.kubectl("wait", "pod/a", "--for=condition=Ready=false", "--timeout=60s")
    until(lambda: {get(url) for _ in range(4)} == {"b"})

    namespace.kubectl("delete", "pod", "b", "--timeout=60s")
    until(lambda: refused(url))


def test_a_port_of_the_machine_may_lead_to_a_service_that_does_not_exist_yet(namespace, sandbox):
    port = free_port()
    forward = sandbox.cluster.services.forward("127.0.0.1", port, namespace.name, "web")
    sandbox.call(forward)
    assert refused(f"http://127.0.0.1:{port}")

    namespace.apply(web("a"))
    namespace.kubectl("expose", "pod", "a", "--name=web", "--port=80", "--target-port=8080")
    namespace.ready("a")

    until(lambda: not refused(f"http://127.0.0.1:{port}"))
    assert get(f"http://127.0.0.1:{port}") == "a"


def test_a_service_that_is_gone_listens_no_more(namespace, url):
    namespace.apply(web("a"))
    namespace.ready("a")
    until(lambda: not refused(url))

    namespace.kubectl("delete", "service", "web")

    until(lambda: refused(url))

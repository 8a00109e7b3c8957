"""A cluster with a node of processes as synchronous tests see it, and pods to run there."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sandbox.cluster.cluster import Cluster

PROGRAM = (sys.executable, str(Path(__file__).with_name("pod_program.py")))
IMAGES = {"registry.example/web": PROGRAM, "sh": ("/bin/sh", "-c")}
POD_VARIABLES = [
    {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
]


@dataclass(frozen=True)
class Sandbox:
    """A running cluster, seen from a synchronous test."""

    cluster: Cluster
    kubectl: Callable[..., str]
    loop: asyncio.AbstractEventLoop

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)


@dataclass(frozen=True)
class Namespace:
    """A namespace of one test."""

    name: str
    sandbox: Sandbox

    def kubectl(self, *arguments: str, body: Any = None, check: bool = True) -> str:
        return self.sandbox.kubectl("--namespace", self.name, *arguments, body=body, check=check)

    def apply(self, body: Any) -> None:
        self.kubectl("apply", "-f", "-", body=body)

    def pod(self, name: str) -> Any:
        return json.loads(self.kubectl("get", "pod", name, "-o", "json"))

    def pods(self) -> list[Any]:
        return json.loads(self.kubectl("get", "pods", "-o", "json"))["items"]

    def ready(self, name: str) -> Any:
        self.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")
        return self.pod(name)

    def url(self, name: str, path: str) -> str:
        return f"http://{self.pod(name)['status']['podIP']}:8080{path}"

    def read(self, name: str, path: str) -> str:
        return get(self.url(name, path))


def get(url: str, data: bytes | None = None) -> str:
    with urllib.request.urlopen(url, data=data, timeout=10) as answer:  # noqa: S310
        return answer.read().decode()


def until(what: Callable[[], Any], seconds: float = 60) -> Any:
    """Poll until something is true; what it is then."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
    return found


def web(name: str, **spec: Any) -> Any:
    """A pod with the program of these tests; spec's `container` is laid over its container."""
    own = spec.pop("container", {})
    container = {
        "name": "web",
        "image": "registry.example/web:1",
        "env": [*POD_VARIABLES, *own.pop("env", [])],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"port": "http", "path": "/ready"}, "periodSeconds": 1},
        **own,
    }
    meta = {"name": name, "labels": {"app": "web"}}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 5, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}

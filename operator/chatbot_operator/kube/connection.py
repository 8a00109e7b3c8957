"""How the operator reaches the cluster: the service account of its pod, or a kubeconfig."""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio import config
from kubernetes.aio.client import Configuration

RELOAD_SECONDS = 60.0
"""Projected tokens live an hour and are replaced at four fifths of it."""

POOL = 64


async def load() -> Configuration:
    """Read the connection from the pod or, when KUBECONFIG is set or there is no pod, a kubeconfig.

    Either way the token is read again every minute.
    """
    configuration: Configuration = type.__call__(Configuration)
    in_pod = "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ
    if in_pod:
        config.load_incluster_config(configuration)
    else:
        await config.load_kube_config(client_configuration=configuration)
        configuration.refresh_api_key_hook = _reload(time.monotonic())
    configuration.connection_pool_maxsize = POOL
    return configuration


@dataclass(frozen=True, slots=True)
class Person:
    """A person's connection, the namespace that they work in, and the names of its context."""

    configuration: Configuration
    namespace: str
    cluster: str
    user: str

    @property
    def aks(self) -> tuple[str, str] | None:
        """Resource group and name of the AKS cluster, as `az aks get-credentials` spells them."""
        found = re.fullmatch(rf"cluster(?:User|Admin)_(.+)_{re.escape(self.cluster)}", self.user)
        return (found[1], self.cluster) if found else None


async def of_person(file: str = "", context: str = "") -> Person:
    """Read a person's connection; raises ConfigException.

    `file` and `context` empty: as kubectl would choose them.
    """
    configuration: Configuration = type.__call__(Configuration)
    files = file or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    if not await asyncio.to_thread(_exists, files):
        raise config.ConfigException(
            f"There is no kubeconfig {files}. Say with --kubeconfig or $KUBECONFIG where it is, or"
            " get one; for AKS: az aks get-credentials --resource-group GROUP --name CLUSTER"
        )
    try:
        loader = await config.load_kube_config(
            config_file=files,
            context=context or None,
            client_configuration=configuration,
            persist_config=False,
        )
    except (OSError, yaml.YAMLError, TypeError, AttributeError) as error:
        raise config.ConfigException(f"The kubeconfig cannot be read: {error}") from error
    except config.ConfigException as error:
        raise config.ConfigException(await _no_context(files, context, error)) from error
    chosen = loader.current_context["context"]
    return Person(
        configuration,
        chosen.get("namespace") or "default",
        cluster=chosen.get("cluster") or "",
        user=chosen.get("user") or "",
    )


def _exists(files: str) -> bool:
    return any(Path(each).expanduser().exists() for each in files.split(os.pathsep) if each)


async def _no_context(files: str, context: str, error: Exception) -> str:
    """Say what a kubeconfig lacks: most often the context that was asked for."""
    if not context:
        return (
            f"The kubeconfig {files} chooses no context that it has; say one with --context, or"
            f" choose one: kubectl config use-context NAME. ({error})"
        )
    try:
        contexts, _ = config.list_kube_config_contexts(files)
    except config.ConfigException:
        return f"The kubeconfig {files} cannot be used: {error}"
    names = ", ".join(sorted(each["name"] for each in contexts))
    return f"The kubeconfig {files} has no context {context}; it has: {names}."


def bearer(configuration: Configuration) -> str | None:
    """Give the token that the configuration holds now, without its scheme."""
    held = configuration.api_key.get("BearerToken", "")
    return held.partition(" ")[2] or None


def _reload(loaded_at: float) -> Any:
    async def hook(configuration: Configuration) -> None:
        nonlocal loaded_at
        if time.monotonic() - loaded_at < RELOAD_SECONDS:
            return
        fresh: Configuration = type.__call__(Configuration)
        await config.load_kube_config(client_configuration=fresh)
        configuration.api_key = fresh.api_key
        loaded_at = time.monotonic()

    return hook

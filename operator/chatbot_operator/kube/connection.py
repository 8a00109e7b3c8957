"""How the operator reaches the cluster: the service account of its pod, or a kubeconfig."""

from __future__ import annotations

import os
import time
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


async def of_person(file: str = "", context: str = "") -> tuple[Configuration, str]:
    """Read a person's connection and the namespace that they work in; raises ConfigException.

    `file` and `context` empty: as kubectl would choose them.
    """
    configuration: Configuration = type.__call__(Configuration)
    try:
        loader = await config.load_kube_config(
            config_file=file or None,
            context=context or None,
            client_configuration=configuration,
            persist_config=False,
        )
    except (OSError, yaml.YAMLError, TypeError, AttributeError) as error:
        raise config.ConfigException(f"The kubeconfig cannot be read: {error}") from error
    of_context = loader.current_context["context"]
    return configuration, of_context.get("namespace") or "default"


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

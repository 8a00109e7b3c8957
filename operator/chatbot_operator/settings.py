"""The operator's settings: environment variables, read once."""

from __future__ import annotations

import base64
import json
import math
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from chatbot_operator.clouds import CLOUDS, Cloud
from chatbot_operator.ports import Installation, Manage, Outlet

LARGEST = 86400
"""The largest number of any setting: a day in seconds, the longest delay that chatbots accept."""


class SettingsError(Exception):
    """Settings are missing or malformed; the message names every one of them."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A setting: its name, its default (None: must be given) and what it means."""

    name: str
    default: str | None
    meaning: str


VARIABLES = (
    Variable("CHATBOT_IMAGE", None, "image of chatbots that name none"),
    Variable("OWNER_ID", "", "marks what this installation owns; default: uid of kube-system"),
    Variable("IDENTITY_RESOURCE_GROUP", "", "where identities go if the account does not say"),
    Variable("IDENTITY_LOCATION", "", "their region if neither says; default: the account's"),
    Variable("AZURE_MANAGE", "All", "what it writes there: All, FederationOnly or Nothing"),
    Variable("AZURE_CLOUD", "Public", "Public, USGovernment or China: where all else of Azure is"),
    Variable("ARM_ENDPOINT", "", "Azure Resource Manager; default: the cloud's"),
    Variable("ARM_SCOPE", "", "scope of its tokens; default: the cloud's"),
    Variable("OPENAI_SCOPE", "", "scope of chatbots' tokens; default: the cloud's"),
    Variable("TOKEN_AUDIENCE", "", "audience of federated tokens; default: the cloud's"),
    Variable("PROOF_DELAY_SECONDS", "15", "age of a credential before it is first used"),
    Variable("PROOF_RECHECK_SECONDS", "300", "how often a proven chatbot is looked at again"),
    Variable("PROPAGATION_DEADLINE_SECONDS", "900", "how long a new grant may take to spread"),
    Variable("RESYNC_SECONDS", "3600", "how often lists and Azure are compared with what is known"),
    Variable("WITHDRAWAL_GRACE_SECONDS", "300", "how long a denied chatbot keeps what it has"),
    Variable("CREDENTIAL_GRACE_SECONDS", "3600", "how long a former issuer's credential stays"),
    Variable("REBIND", "Manual", "Auto: take over identities of earlier chatbots of the same name"),
    Variable("CHATBOT_HTTPS_PROXY", "", "proxy through which chatbots reach Azure"),
    Variable("CHATBOT_NO_PROXY", "", "hosts, with commas, that they reach without it"),
    Variable("CHATBOT_CA_FILE", "", "PEM file of authorities that chatbots trust as well"),
    Variable("EXTRA_CA_FILE", "", "PEM file of authorities that the operator trusts as well"),
    Variable("WATCH_NAMESPACES", "", "namespaces of chatbots, with commas; default: all"),
    Variable("WORKERS", "16", "passes made at the same time"),
    Variable("PROBE_PORT", "8080", "port of /healthz and /metrics"),
    Variable("HOST", "0.0.0.0", "address that they bind"),
    Variable("POD_NAME", "", "this replica, in the Lease; default: its host's name"),
    Variable(
        "POD_NAMESPACE", "", "its namespace, for Lease and policies; default: it runs in none"
    ),
    Variable(
        "GATEWAY_NAMESPACES", "", "where ingress controllers and Gateways run, with commas between"
    ),
    Variable(
        "MONITORING_NAMESPACES",
        "",
        "where Prometheus runs, to read chatbots' /metrics, with commas",
    ),
    Variable("AZURE_CLIENT_ID", None, "the operator's identity; set by the webhook"),
    Variable("AZURE_TENANT_ID", None, "its tenant; set by the webhook"),
    Variable("AZURE_FEDERATED_TOKEN_FILE", None, "its projected token; set by the webhook"),
    Variable("AZURE_AUTHORITY_HOST", "", "Entra; set by the webhook, default: the cloud's"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings; durations in seconds."""

    image: str
    owner_id: str
    identity_resource_group: str
    identity_location: str
    arm_endpoint: str
    arm_scope: str
    data_scope: str
    audience: str
    proof_delay: float
    proof_recheck: float
    propagation_deadline: float
    resync: float
    withdrawal_grace: float
    credential_grace: float
    rebind: bool
    manage: str
    chatbot_proxy: str
    chatbot_no_proxy: str
    chatbot_ca_file: str
    extra_ca_file: str
    watched: tuple[str, ...]
    workers: int
    probe_port: int
    host: str
    pod_name: str
    pod_namespace: str
    gateway_namespaces: tuple[str, ...]
    monitoring_namespaces: tuple[str, ...]
    client_id: str
    tenant_id: str
    token_file: Path
    authority: str

    @classmethod
    def parse(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; raises SettingsError naming all that is wrong with them."""
        reading = _Reading(environment)
        settings = cls(
            image=reading.text("CHATBOT_IMAGE"),
            owner_id=reading.text("OWNER_ID"),
            identity_resource_group=reading.text("IDENTITY_RESOURCE_GROUP"),
            identity_location=reading.text("IDENTITY_LOCATION"),
            arm_endpoint=reading.text("ARM_ENDPOINT"),
            arm_scope=reading.text("ARM_SCOPE"),
            data_scope=reading.text("OPENAI_SCOPE"),
            audience=reading.text("TOKEN_AUDIENCE"),
            proof_delay=reading.number("PROOF_DELAY_SECONDS"),
            proof_recheck=reading.number("PROOF_RECHECK_SECONDS", least=1),
            propagation_deadline=reading.number("PROPAGATION_DEADLINE_SECONDS"),
            resync=reading.number("RESYNC_SECONDS", least=1),
            withdrawal_grace=reading.number("WITHDRAWAL_GRACE_SECONDS"),
            credential_grace=reading.number("CREDENTIAL_GRACE_SECONDS"),
            manage=reading.choice("AZURE_MANAGE", *Manage),
            rebind=reading.choice("REBIND", "Auto", "Manual") == "Auto",
            chatbot_proxy=reading.text("CHATBOT_HTTPS_PROXY"),
            chatbot_no_proxy=reading.text("CHATBOT_NO_PROXY"),
            chatbot_ca_file=reading.text("CHATBOT_CA_FILE"),
            extra_ca_file=reading.text("EXTRA_CA_FILE"),
            watched=reading.names("WATCH_NAMESPACES"),
            workers=int(reading.number("WORKERS", least=1)),
            probe_port=int(reading.number("PROBE_PORT")),
            host=reading.text("HOST"),
            pod_name=reading.text("POD_NAME"),
            pod_namespace=reading.text("POD_NAMESPACE"),
            gateway_namespaces=reading.names("GATEWAY_NAMESPACES"),
            monitoring_namespaces=reading.names("MONITORING_NAMESPACES"),
            client_id=reading.text("AZURE_CLIENT_ID"),
            tenant_id=reading.text("AZURE_TENANT_ID"),
            token_file=Path(reading.text("AZURE_FEDERATED_TOKEN_FILE")),
            authority=reading.text("AZURE_AUTHORITY_HOST"),
        )
        if reading.wrong:
            raise SettingsError("\n".join(reading.wrong))
        return settings


class _Reading:
    """Reads variables and gathers what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {name: value for name, value in environment.items() if value}
        self._known = {variable.name: variable for variable in VARIABLES}
        self.wrong: list[str] = []
        self._environment = {**self._cloud().settings(), **self._environment}

    def _cloud(self) -> Cloud:
        name = self.text("AZURE_CLOUD")
        if name not in CLOUDS:
            self.wrong.append(f"AZURE_CLOUD is none of {', '.join(CLOUDS)}: {name!r}")
        return CLOUDS.get(name, CLOUDS["Public"])

    def text(self, name: str) -> str:
        variable = self._known[name]
        value = self._environment.get(name, variable.default)
        if value is None:
            self.wrong.append(f"{name} is missing: {variable.meaning}")
            return ""
        return value

    def choice(self, name: str, *known: str) -> str:
        value = self.text(name)
        if value not in known:
            self.wrong.append(f"{name} is none of {', '.join(known)}: {value!r}")
        return value

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(self.text(name).replace(",", " ").split())

    def number(self, name: str, *, least: float = 0) -> float:
        text = self.text(name)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= LARGEST:
            self.wrong.append(f"{name} is no number from {least:g} to {LARGEST}: {text!r}")
            return least
        return value


def installation(
    settings: Settings, *, cluster: str, issuer: str, authorities: str
) -> Installation:
    """Give what holds for the whole installation.

    `cluster` is the owner id, `issuer` the `iss` of the cluster's tokens, `authorities` what
    CHATBOT_CA_FILE holds (PEM).
    """
    return Installation(
        cluster=cluster,
        issuer=issuer,
        tenant_id=settings.tenant_id,
        namespace=settings.pod_namespace,
        watched=settings.watched,
        gateway_namespaces=settings.gateway_namespaces,
        monitoring_namespaces=settings.monitoring_namespaces,
        image=settings.image,
        audience=settings.audience,
        data_scope=settings.data_scope,
        identity_resource_group=settings.identity_resource_group,
        identity_location=settings.identity_location,
        proof_delay=settings.proof_delay,
        proof_recheck=settings.proof_recheck,
        propagation_deadline=settings.propagation_deadline,
        resync=settings.resync,
        withdrawal_grace=settings.withdrawal_grace,
        manage=Manage(settings.manage),
        credential_grace=settings.credential_grace,
        rebind=settings.rebind,
        outlet=Outlet(
            https_proxy=settings.chatbot_proxy,
            no_proxy=settings.chatbot_no_proxy,
            authorities=authorities,
        ),
    )


def certificates(name: str, file: str) -> str:
    """Read the PEM file that setting `name` names, if any; raises SettingsError if it is none.

    Nothing but certificates: what a file holds may be handed to every chatbot.
    """
    if not file:
        return ""
    try:
        pem = Path(file).read_text(encoding="utf-8")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{name} is no file of certificates: {error}") from error
    if "PRIVATE KEY" in pem:
        raise SettingsError(f"{name} holds a private key: {file}")
    return pem


def issuer(token: str) -> str:
    """Give the `iss` claim of a projected token, byte for byte.

    Entra compares it exactly, down to the slash at its end. Nothing is verified: the token is the
    operator's own, from a file that only the kubelet writes.
    """
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims["iss"])


def table() -> str:
    """Describe every setting, a line each, for --help."""
    lines = []
    for variable in VARIABLES:
        default = "required" if variable.default is None else f"default {variable.default or '-'}"
        lines.append(f"  {variable.name:<30} {variable.meaning} ({default})")
    return "\n".join(lines)

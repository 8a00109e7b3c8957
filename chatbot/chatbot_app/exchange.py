"""`python -m chatbot_app.exchange`: one token, fetched in a process that ends with it.

Azure's libraries weigh 14 MB and are needed for half a second every few minutes. It reads what
`credential` asks from standard input and writes a token, or why there is none, to standard output.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import requests
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import DefaultAzureCredential, WorkloadIdentityCredential
from requests.adapters import HTTPAdapter

from chatbot_app import telemetry
from chatbot_app.reasons import ChatReason, Reason, Refusal, one_line
from chatbot_app.trust import trust

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from azure.core.credentials import AccessToken

_TIMEOUTS = {"connection_timeout": 5, "read_timeout": 15}
_DEFINITIVE = frozenset({400, 401, 403})


def main() -> None:
    """Answer the one question on standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: who asked ends this, if need be
    asked = json.load(sys.stdin)
    telemetry.set_up(as_json="token_file" in asked)
    json.dump(answer(asked), sys.stdout)


def answer(asked: Mapping[str, str]) -> dict[str, Any]:
    """Fetch a token of a workload identity, or without a `token_file` of whoever is signed in."""
    fetch = _of_workload if "token_file" in asked else _of_person
    found = fetch(asked)
    if isinstance(found, Refusal):
        return {"reason": found.reason, "detail": found.detail, "trace": found.trace}
    return {"token": found.token, "expires_at": found.expires_on}


def _of_workload(asked: Mapping[str, str]) -> AccessToken | Refusal:
    try:
        with WorkloadIdentityCredential(
            tenant_id=asked["tenant_id"],
            client_id=asked["client_id"],
            token_file_path=asked["token_file"],
            authority=asked["authority_host"] or None,
            transport=_transport(ca_file=asked["ca_file"], extra=asked["extra_ca_file"]),
            retry_total=0,
        ) as credential:
            return credential.get_token(asked["scope"])
    except AzureError as error:
        return of_exchange(error)
    except (OSError, ValueError) as error:
        return Refusal(Reason.NOT_INJECTED, str(error))


def _of_person(asked: Mapping[str, str]) -> AccessToken | Refusal:
    # A laptop has no managed identity: where that address swallows packets, looking for one
    # costs seconds before `az` is asked, and on a VM it would not be the person who chats.
    try:
        with DefaultAzureCredential(
            process_timeout=30, exclude_managed_identity_credential=True
        ) as credential:
            return credential.get_token(asked["scope"])
    except (AzureError, ValueError) as error:  # the latter for AZURE_TOKEN_CREDENTIALS
        return of_sign_in(error)


def of_exchange(error: AzureError) -> Refusal:
    """Read a failed token exchange with Entra.

    A definitive no is a 400, 401 or 403 with an `AADSTS` code; everything else may pass.
    """
    status: int | None = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, ClientAuthenticationError) and status in _DEFINITIVE:
        said = str(error.message)
        correlation = re.search(r"Correlation ID: ([-\w]{1,64})", said, re.ASCII)
        trace = correlation.group(1) if correlation else ""
        return Refusal(Reason.EXCHANGE_REFUSED, _aadsts(said), trace=trace)
    detail = f"HTTP {status}" if status else type(error).__name__
    return Refusal(Reason.AUTHORITY_UNREACHABLE, f"({detail})")


def of_sign_in(error: AzureError | ValueError) -> Refusal:
    """Read why a chain of credentials gave no token on a laptop.

    Its message lists every attempt. What the Azure CLI said is what a person can act on; a chain
    that ended earlier ended with the attempt that was refused.
    """
    listed = r"^\t(\w+): (.*(?:\n(?!\t|To mitigate).*)*)"
    attempts = dict(re.findall(listed, str(error), re.MULTILINE))
    said = attempts.get("AzureCliCredential") or next(reversed(attempts.values()), str(error))
    return Refusal(ChatReason.NOT_SIGNED_IN, one_line(said))


def _aadsts(text: str) -> str:
    """Keep the code and its sentence; the trace ids after it change with every attempt."""
    found = re.search(r"AADSTS\d+:.*?(?=\s*Trace ID|$)", text, re.DOTALL)
    return found.group(0) if found else text


def _transport(*, ca_file: str, extra: str) -> RequestsTransport:
    """Give a transport for azure-identity that trusts `ca_file` (empty: the system) and `extra`.

    A proxy is the environment's (HTTPS_PROXY, NO_PROXY). Whoever uses the transport closes it.
    """
    session = requests.Session()
    session.mount("https://", _Trusting(trust(extra)))
    return RequestsTransport(session=session, connection_verify=ca_file or True, **_TIMEOUTS)


class _Trusting(HTTPAdapter):
    """Uses one context for all connections, through a proxy or not."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *given: Any, **how: Any) -> None:
        """Connect directly."""
        super().init_poolmanager(*given, ssl_context=self._context, **how)

    def proxy_manager_for(self, proxy: str, **how: Any) -> Any:
        """Connect through a proxy."""
        return super().proxy_manager_for(proxy, ssl_context=self._context, **how)


if __name__ == "__main__":
    main()

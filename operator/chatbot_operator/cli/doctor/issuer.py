"""Whether Entra can verify the tokens of this cluster's service accounts. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.doctor.looking import Dark, unknown
from chatbot_operator.cli.unread import Unread
from chatbot_operator.ports import Discovery

NAME: Final = "token issuer"
_PUBLISHED: Final = ".well-known/openid-configuration"
DOCUMENT: Final = f"get /{_PUBLISHED}"
_INTERNAL: Final = re.compile(
    r"https://(kubernetes\.default(\.svc(\.cluster\.local)?)?|[^/]+\.azmk8s\.io)(:\d+)?/?",
    re.IGNORECASE,
)
"""The default of Kubernetes, and of AKS without its OIDC issuer."""
_FLAGS: Final = "--enable-oidc-issuer --enable-workload-identity"


@dataclass(frozen=True, slots=True)
class Issued:
    """The issuer of tokens, and the ids of the keys that they are signed with.

    Both as the API server has them; `published` is what the issuer shows to the world.
    """

    issuer: str | Dark
    keys: frozenset[str] | Dark
    published: Discovery | Dark


def check(issued: Issued, enable: Iterable[str]) -> Check:
    """Judge an issuer; `enable` are the commands that turn it on where they are known."""
    issuer = issued.issuer
    if not isinstance(issuer, str):
        return unknown(NAME, issuer)
    facts = {"issuer": issuer}
    if not issuer.startswith("https://") or _INTERNAL.fullmatch(issuer):
        return Check(
            NAME,
            Mark.WRONG,
            f"{issuer} is nothing that Entra can reach",
            cause="Entra fetches the keys of tokens from their issuer. The cluster has no public"
            " one.",
            fix=f"Turn it on: `az aks update … {_FLAGS}`. Running pods get tokens of the new issuer"
            " when they are made anew.",
            commands=tuple(enable),
            facts=facts,
        )
    below = (_published(issuer, issued.published), _keys(issued))
    return Check(NAME, worst(below), issuer, facts=facts, below=below)


def _published(issuer: str, published: Discovery | Dark) -> Check:
    if isinstance(published, Unread):
        return unknown("published", published)
    if not isinstance(published, Discovery):
        return Check(
            "published",
            Mark.UNKNOWN,
            f"{published}; Entra has to reach it: try it from elsewhere",
            commands=(shlex.join(("curl", "-fsS", f"{issuer.rstrip('/')}/{_PUBLISHED}")),),
        )
    if published.issuer != issuer:
        return Check(
            "published",
            Mark.WRONG,
            f"its discovery document names {published.issuer!r}, tokens {issuer!r}",
            cause="Entra compares them byte by byte, a slash at the end included.",
            fix="Have both say the same: API server's --service-account-issuer is what tokens say.",
        )
    return Check("published", Mark.OK, "its discovery document names it, byte for byte")


def _keys(issued: Issued) -> Check:
    own, published = issued.keys, issued.published
    if not isinstance(published, Discovery):
        return Check("keys", Mark.UNKNOWN, "not known: nothing is published")
    if not published.keys:
        return Check(
            "keys",
            Mark.WRONG,
            "the issuer publishes no key",
            cause="Entra can verify no token.",
            fix="Have the issuer publish the API server's keys.",
        )
    if not isinstance(own, frozenset):
        return unknown("keys", own)
    if not own & published.keys:
        return Check(
            "keys",
            Mark.WRONG,
            "the issuer publishes none of the keys that the API server signs with",
            cause="It speaks for another cluster, or the keys were changed and it was forgotten.",
            fix="Have the issuer publish the API server's keys (`kubectl get --raw"
            " /openid/v1/jwks`).",
            facts={"signs": ", ".join(sorted(own)), "published": ", ".join(sorted(published.keys))},
        )
    missing = own - published.keys
    if missing:
        return Check(
            "keys",
            Mark.WAITING,
            f"{len(missing)} of the API server's {len(own)} keys are not published yet",
            cause="Keys are being changed; tokens signed with the new ones are refused meanwhile.",
            fix="Wait some minutes, and look again.",
        )
    count = "the key" if len(own) == 1 else f"all {len(own)} keys"
    return Check("keys", Mark.OK, f"{count} of the API server can be had from it")

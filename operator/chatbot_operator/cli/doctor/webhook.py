"""The workload identity webhook: registered for pods, and answering. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.doctor.looking import Dark, Kubectl, Silent, unknown
from chatbot_operator.cli.pod.observed import HOOK, USE
from chatbot_operator.cli.unread import Unread
from chatbot_operator.ports import Object

NAME: Final = "workload identity webhook"
OF_SERVICE: Final = "kubernetes.io/service-name"
TOKEN: Final = "AZURE_FEDERATED_TOKEN_FILE"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook of the webhook as it is registered, and in which configuration."""

    configuration: str
    body: Mapping[str, Any]

    @property
    def service(self) -> tuple[str, str] | None:
        """Namespace and name of the service that answers; None where that is a URL."""
        service = (self.body.get("clientConfig") or {}).get("service")
        return (service["namespace"], service["name"]) if service else None


def hooks(configurations: Iterable[Object]) -> list[Hook]:
    """Find the hooks, whatever their configuration is called."""
    return [
        Hook(configuration["metadata"]["name"], hook)
        for configuration in configurations
        for hook in configuration.get("webhooks") or ()
        if hook["name"] == HOOK
    ]


def rehearsal(namespace: str) -> Object:
    """Give a pod that the webhook is asked about, and that the strictest namespace lets in."""
    container = {
        "name": "rehearsal",
        "image": "rehearsal",
        "resources": {
            "requests": {"cpu": "1m", "memory": "1Mi"},
            "limits": {"cpu": "1m", "memory": "1Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "namespace": namespace,
            "name": "chatbot-doctor-rehearsal",
            "labels": {USE: "true"},
        },
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }


def check(
    found: list[Hook] | Dark,
    ready: int | Dark | None,
    rehearsed: Object | Dark,
    enable: Iterable[str],
    kubectl: Kubectl,
) -> Check:
    """Judge the webhook.

    `ready`: endpoints of its service that are, None where it is at a URL; `rehearsed`: a pod as
    the API server would make it; `enable`: the commands that bring the webhook.
    """
    if not isinstance(found, list):
        return unknown(NAME, found)
    if not found:
        return Check(
            NAME,
            Mark.WRONG,
            "the cluster has none",
            cause="Nobody gives pods their token and the variables of Azure.",
            fix="On AKS: `az aks update … --enable-oidc-issuer --enable-workload-identity`."
            " Elsewhere install azure-workload-identity's chart.",
            commands=tuple(enable),
        )
    asked = next((_asked(one) for one in found if _asked(one).mark is Mark.OK), _asked(found[0]))
    if asked.mark is not Mark.OK:
        return Check(NAME, Mark.WRONG, found[0].configuration, below=(asked,))
    below = (asked, _answers(found[0], ready, rehearsed, kubectl), *_policy(found[0]))
    return Check(NAME, worst(below), found[0].configuration, below=below)


def _asked(hook: Hook) -> Check:
    rules = hook.body.get("rules") or ()
    if any(_about_pods(rule) for rule in rules):
        return Check("asked about pods", Mark.OK, "about each that is made with its label")
    return Check(
        "asked about pods",
        Mark.WRONG,
        "no rule of its registration covers the making of pods",
        cause="The API server does not ask it, and pods start without a token.",
        fix="Have its owner register it again; on AKS that is AKS, and nobody else may edit it.",
        facts={"configuration": hook.configuration},
    )


def _about_pods(rule: Mapping[str, Any]) -> bool:
    wanted = {"apiGroups": "", "apiVersions": "v1", "operations": "CREATE", "resources": "pods"}
    return all({value, "*"} & set(rule.get(key) or ()) for key, value in wanted.items())


def _answers(
    hook: Hook, ready: int | Dark | None, rehearsed: Object | Dark, kubectl: Kubectl
) -> Check:
    look = (kubectl("get", "pods", "-n", hook.service[0]),) if hook.service else ()
    if isinstance(rehearsed, Mapping):
        if _injected(rehearsed):
            return Check("answers", Mark.OK, "a rehearsed pod got its token")
        return Check(
            "answers",
            Mark.WRONG,
            "a rehearsed pod with its label got no token",
            cause=f"It does not answer, or selectors of {hook.configuration} leave this namespace"
            " out.",
            fix="Look at the webhook's pods, and at the selectors of its registration.",
            commands=look,
        )
    if isinstance(rehearsed, Silent) and HOOK in rehearsed.why:
        return Check(
            "answers",
            Mark.WRONG,
            rehearsed.why.removeprefix("not known: "),
            cause="No pod with its label can be made meanwhile.",
            fix="Look at what keeps the webhook's pods.",
            commands=look,
        )
    if ready == 0:
        return Check(
            "answers",
            Mark.WRONG,
            "no pod of its service is ready",
            fix="Look at what keeps the webhook's pods.",
            commands=look,
        )
    if isinstance(ready, int) and isinstance(rehearsed, Unread):
        return Check("answers", Mark.OK, f"{ready} of its pods are ready")
    return unknown("answers", rehearsed)


def _injected(pod: Mapping[str, Any]) -> bool:
    variables = pod["spec"]["containers"][0].get("env") or ()
    return any(each["name"] == TOKEN for each in variables)


def _policy(hook: Hook) -> Iterable[Check]:
    if hook.body.get("failurePolicy", "Fail") == "Ignore":
        yield Check(
            "failure policy",
            Mark.NOTE,
            "Ignore: pods made while it does not answer start without a token; the operator"
            " restarts its own",
        )

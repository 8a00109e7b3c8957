"""What the operator's service account may do in the cluster, against what it has to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.doctor.looking import Dark, unknown
from chatbot_operator.cli.installed import REVIEWS
from chatbot_operator.ports import Object, Resource

NAME: Final = "rights in the cluster"
_GROUP: Final = "rbac.authorization.k8s.io"
CLUSTER_ROLES: Final = Resource(_GROUP, "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_BINDINGS: Final = Resource(
    _GROUP, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False
)
ROLES: Final = Resource(_GROUP, "v1", "roles", "Role")
BINDINGS: Final = Resource(_GROUP, "v1", "rolebindings", "RoleBinding")
_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a kind, in a namespace (empty: everywhere) and of one name, unless empty."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    @property
    def what(self) -> str:
        """The kind, spelled as for kubectl, and where."""
        resource, slash, part = self.resource.partition("/")
        group = f".{self.group}" if self.group else ""
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{resource}{group}{slash}{part}{where}"

    def __str__(self) -> str:
        return f"{self.verb} {self.what}"


TOO_MUCH: Final = (
    Right("get", "", "secrets"),
    Right("create", "", "pods"),
    Right("create", "", "pods/exec"),
    Right("create", "", "serviceaccounts/token"),
    Right("impersonate", "", "users"),
    Right("create", _GROUP, "clusterrolebindings"),
    Right("escalate", _GROUP, "clusterroles"),
    Right("patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
)
"""What it never needs, and what whoever takes it over would like best."""


def rights(rules: Iterable[Object], namespace: str = "") -> Iterator[Right]:
    """Spell out the rights that rules of a role give, there or everywhere."""
    for rule in rules:
        for group in rule.get("apiGroups", ()):
            for resource in rule.get("resources", ()):
                for verb in rule.get("verbs", ()):
                    for name in rule.get("resourceNames") or ("",):
                        yield Right(verb, group, resource, namespace, name)


def review(right: Right, namespace: str, account: str) -> Object:
    """Ask whether a service account holds a right."""
    resource, _, part = right.resource.partition("/")
    return {
        "apiVersion": REVIEWS.api_version,
        "kind": REVIEWS.kind,
        "metadata": {},
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{account}",
            "groups": [
                "system:serviceaccounts",
                f"system:serviceaccounts:{namespace}",
                "system:authenticated",
            ],
            "resourceAttributes": {
                "verb": right.verb,
                "group": right.group,
                "resource": resource,
                "subresource": part,
                "namespace": right.namespace,
                "name": right.name,
            },
        },
    }


def holds(rules: Iterable[Object], right: Right) -> bool:
    """Tell whether rules of roles that hold at its place give a right."""
    return any(
        _has(rule, "apiGroups", right.group)
        and (_has(rule, "resources", right.resource) or _of_part(rule, right.resource))
        and _has(rule, "verbs", right.verb)
        and (not rule.get("resourceNames") or right.name in rule["resourceNames"])
        for rule in rules
    )


def bound(binding: Object, namespace: str, account: str) -> bool:
    """Tell whether a binding speaks of a service account, by name or by its groups."""
    groups = {
        "system:serviceaccounts",
        f"system:serviceaccounts:{namespace}",
        "system:authenticated",
    }
    for each in binding.get("subjects") or ():
        named = each.get("name")
        if each["kind"] == "ServiceAccount" and (each.get("namespace"), named) == (
            namespace,
            account,
        ):
            return True
        if each["kind"] == "User" and named == f"system:serviceaccount:{namespace}:{account}":
            return True
        if each["kind"] == "Group" and named in groups:
            return True
    return False


def check(held: Mapping[Right, bool] | Dark, needed: Iterable[Right], reconcile: str) -> Check:
    """Judge what is held; `reconcile` is the command that writes the shipped roles, if any fits."""
    if not isinstance(held, Mapping):
        return unknown(NAME, held)
    wanted = tuple(needed)
    missing = [right for right in wanted if not held[right]]
    surplus = [right for right in TOO_MUCH if held[right]]
    facts = {"missing": ", ".join(map(str, missing)), "surplus": ", ".join(map(str, surplus))}
    facts = {key: value for key, value in facts.items() if value}
    if missing:
        return Check(
            NAME,
            Mark.WRONG,
            f"it may not {_some(missing)}",
            cause="The operator is refused, and what needs that right stands still.",
            fix="Write its roles as they came with this command:"
            if reconcile
            else "Build your overlay of deploy/kustomize anew and apply it.",
            commands=(reconcile,) if reconcile else (),
            facts=facts,
        )
    if surplus:
        return Check(
            NAME,
            Mark.WRONG,
            f"it could {_some(surplus)}: more than it needs",
            cause="Whoever takes the operator over can do that, too.",
            fix="Find the binding (`kubectl get clusterrolebindings,rolebindings -A -o wide`);"
            " where it is its own role that was widened:",
            commands=(f"{reconcile} --remove-extra-permissions",) if reconcile else (),
            facts=facts,
        )
    return Check(NAME, Mark.OK, f"all {len(wanted)} that it needs, and none of the dangerous ones")


def _some(rights: list[Right]) -> str:
    verbs: dict[str, list[str]] = {}
    for each in rights:
        verbs.setdefault(each.what, []).append(each.verb)
    said = [f"{', '.join(of)} {what}" for what, of in verbs.items()]
    more = f"; and {len(said) - _SHOWN} kinds more" if len(said) > _SHOWN else ""
    return "; ".join(said[:_SHOWN]) + more


def _has(rule: Mapping[str, Any], key: str, value: str) -> bool:
    return bool({value, "*"} & set(rule.get(key) or ()))


def _of_part(rule: Mapping[str, Any], resource: str) -> bool:
    """Tell whether a rule covers a subresource of every kind, as `*/status` does."""
    _, slash, part = resource.partition("/")
    return bool(slash) and f"*/{part}" in (rule.get("resources") or ())

"""The CRDs of a cluster against those that came with this command. Pure.

They are compared by structure, not by a mark that an edit would leave as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.doctor.looking import Dark, Kubectl, unknown
from chatbot_operator.ports import Object, Resource

DEFINITIONS: Final = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
APPLY: Final = ("apply", "--server-side", "--force-conflicts", "-f")
_SHOWN: Final = 5
_WORDS: Final = ("description",)
"""Leaves that only people read."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Paths that only the shipped definition has, only the cluster's, or both and not alike."""

    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def any(self) -> bool:
        """Tell whether there is any."""
        return bool(self.missing or self.surplus or self.changed)

    def without_words(self) -> Differences:
        """Leave out what only people read."""

        def weighed(paths: Iterable[str]) -> tuple[str, ...]:
            return tuple(path for path in paths if path.rpartition(".")[2] not in _WORDS)

        return Differences(*map(weighed, (self.missing, self.surplus, self.changed)))


def differences(shipped: Object, live: Object) -> Differences:
    """Compare two definitions, as the API server completes them."""
    wanted, found = (dict(_leaves(_completed(each["spec"]))) for each in (shipped, live))
    return Differences(
        missing=tuple(sorted(wanted.keys() - found.keys())),
        surplus=tuple(sorted(found.keys() - wanted.keys())),
        changed=tuple(sorted(p for p in wanted.keys() & found.keys() if wanted[p] != found[p])),
    )


def check(
    shipped: Object,
    live: Object | Dark | None,
    *,
    same_release: bool,
    file: str,
    kubectl: Kubectl,
) -> Check:
    """Judge a definition.

    `same_release`: an operator of this command's own release is installed, or none at all. `file`
    holds the shipped definition.
    """
    name, apply = shipped["metadata"]["name"], kubectl(*APPLY, file)
    if live is None:
        return Check(
            name,
            Mark.WRONG,
            "is not installed",
            fix="Apply it; it stays when the operator goes.",
            commands=(apply,),
        )
    if not isinstance(live, Mapping):
        return unknown(name, live)
    bars = next(iter(_bars(shipped, live)), None)
    return bars or _compared(shipped, live, same_release=same_release, file=file, kubectl=kubectl)


def _compared(
    shipped: Object, live: Object, *, same_release: bool, file: str, kubectl: Kubectl
) -> Check:
    name, apply = shipped["metadata"]["name"], kubectl(*APPLY, file)
    differing = differences(shipped, live)
    weighty = differing.without_words()
    if not differing.any():
        return Check(name, Mark.OK, "is installed, as it came with this command")
    if not weighty.any():
        return Check(name, Mark.NOTE, "differs in words of its descriptions", commands=(apply,))
    if weighty.surplus and not same_release:
        return Check(
            name,
            Mark.NOTE,
            f"is of another release, or was edited: {_told(weighty)}",
            fix="Use the command that came with the operator's release.",
            facts=_facts(weighty),
        )
    # An apply takes away nothing that somebody else has put in.
    fixing = kubectl("replace", "-f", file) if weighty.surplus else apply
    return Check(
        name,
        Mark.WRONG,
        f"{'is older' if not (weighty.surplus or weighty.changed) else 'was edited'}:"
        f" {_told(weighty)}{_by(live)}",
        cause="What chatbots say is pruned or refused where the definition does not know it.",
        fix="Write it as it came with this command:",
        commands=(fixing,),
        facts=_facts(weighty),
    )


def _bars(shipped: Object, live: Object) -> Iterator[Check]:
    name, status = live["metadata"]["name"], live.get("status") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    established = conditions.get("Established", {})
    if established.get("status") != "True":
        said = str(established.get("message") or "the API server has not taken it up yet")
        yield Check(name, Mark.WAITING, said)
    wanted = {each["name"] for each in shipped["spec"]["versions"]}
    stored = set(status.get("storedVersions") or ()) - wanted
    if stored:
        yield Check(
            name,
            Mark.WRONG,
            f"objects may be stored as {', '.join(sorted(stored))}, which no release here serves",
            cause="An earlier release has written them.",
            fix="Write each of them once more, then take the version from status.storedVersions"
            " (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources"
            "/custom-resource-definition-versioning/#upgrade-existing-objects-to-a-new-stored-version).",
        )


def _completed(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put in what the API server does, where it is left out."""
    names = {"listKind": f"{spec['names']['kind']}List", **spec["names"]}
    return {"conversion": {"strategy": "None"}, **spec, "names": names}


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list) and node and all(isinstance(each, Mapping) for each in node):
        for index, each in enumerate(node):
            yield from _leaves(each, f"{path}[{each.get('name', index)}]")
    else:
        yield path, node


def _told(of: Differences) -> str:
    said = (
        ("it lacks", of.missing),
        ("it has more, such as", of.surplus),
        ("it differs in", of.changed),
    )
    return "; ".join(f"{what} {_some(paths)}" for what, paths in said if paths)


def _some(paths: tuple[str, ...]) -> str:
    shown = [path.rpartition("openAPIV3Schema.")[2] for path in paths[:_SHOWN]]
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(shown) + more


def _by(live: Object) -> str:
    written = [
        each
        for each in live["metadata"].get("managedFields") or ()
        if not each.get("subresource") and each.get("time")
    ]
    last = max(written, key=lambda each: str(each["time"]), default=None)
    return f"; last written by {last['manager']} at {last['time']}" if last else ""


def _facts(of: Differences) -> dict[str, str]:
    return {
        name: " ".join(paths)
        for name, paths in (
            ("missing", of.missing),
            ("surplus", of.surplus),
            ("changed", of.changed),
        )
        if paths
    }

"""Manifests laid over the cluster: what applying them would make of what is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.plan.patches import apply_patch, merged
from chatbot_operator.cli.plan.writes import Difference, Verb, differences
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.dry_run import KUBECTL, DryRun
from chatbot_operator.manifests import MANAGER
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, Object, Resource

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_NOT_ABOUT_IT: Final = (0, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
"""What the API server says before it looks at a manifest; it may call one wrong by a 500."""


@dataclass(frozen=True, slots=True)
class Laid:
    """An object as it is (`before`; None: it is new) and as a person would make it.

    `after` None: they would delete it.
    """

    resource: Resource
    before: Object | None
    after: Object | None

    @property
    def body(self) -> Object:
        """The object, in its later form if it has one."""
        found = self.after or self.before
        if found is None:
            raise ValueError("neither was there nor will be")
        return found

    @property
    def verb(self) -> Verb:
        """What the person does to it."""
        if self.after is None:
            return Verb.DELETE
        if self.before is None:
            return Verb.CREATE
        return Verb.CHANGE if self.differences else Verb.LEAVE

    @property
    def differences(self) -> tuple[Difference, ...]:
        """In what it differs, where it was there and will be."""
        if self.before is None or self.after is None:
            return ()
        return differences(self.before, self.after, kind=self.resource.kind)


async def lay(cluster: DryRun, resource: Resource, manifest: Object) -> Laid:
    """Have the API server say what applying a manifest would make; raises UnansweredError.

    As `kubectl apply` would: by a merge patch for what it applied before, else on the server's
    side.
    """
    metadata = manifest["metadata"]
    where = metadata.get("namespace", ""), metadata["name"]
    try:
        before = await cluster.get(resource, *where)
        last = ((before or {}).get("metadata", {}).get("annotations") or {}).get(LAST_APPLIED)
        if before is None:
            after = await cluster.make(resource, manifest)
        elif last is None:
            after = await cluster.lay(resource, manifest, manager=_manager(before))
        else:
            patch = apply_patch(before, manifest, json.loads(last))
            after = await cluster.merge(resource, *where, patch) if patch else before
    except KubernetesRefusal as refusal:
        if resource not in (ACCOUNTS, CHATBOTS) and refusal.status == HTTPStatus.FORBIDDEN:
            return Laid(resource, None, merged(None, manifest))
        raise UnansweredError(_words(refusal, resource, *where)) from refusal
    return Laid(resource, before, after)


def _manager(live: Object) -> str:
    """Name whoever has applied an object before, as Flux or Argo CD do under names of their own."""
    held = live["metadata"].get("managedFields") or ()
    said = {
        each["manager"]
        for each in held
        if each["operation"] == "Apply" and "f:spec" in each.get("fieldsV1", {})
    } - {MANAGER}
    return said.pop() if len(said) == 1 else KUBECTL


def _words(refusal: KubernetesRefusal, resource: Resource, namespace: str, name: str) -> str:
    """Say why a manifest cannot be laid over the cluster, and what to do."""
    what = f"{resource.kind} {namespace}/{name}" if namespace else f"{resource.kind} {name}"
    if refusal.status == HTTPStatus.NOT_FOUND:
        return (
            f"{what} has no place: {refusal.message}. Create the namespace first, and plan again."
        )
    if refusal.status == HTTPStatus.FORBIDDEN:
        return (
            f"Not known: you may not apply {what} ({refusal.message}). A plan has the API server"
            f" fill in defaults by a dry run, which needs the right to get and patch"
            f" {resource.plural}."
        )
    if refusal.status in _NOT_ABOUT_IT:
        return f"{what}: {refusal}"
    return f"{what} would be refused: {refusal.message}"

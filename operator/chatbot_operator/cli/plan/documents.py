"""Manifests, from files, directories and standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, CONFIG_MAPS, NAMESPACES, Object, Resource

ENDINGS: Final = (".yaml", ".yml", ".json")
"""Of the files of a directory that are read, as kubectl does."""
PLANNED: Final = (NAMESPACES, CONFIG_MAPS, ACCOUNTS, CHATBOTS)
"""Kinds that a plan takes into account, in the order in which they depend on one another."""


def read(places: Sequence[str], namespace: str) -> tuple[list[tuple[Resource, Object]], list[str]]:
    """Give the objects that a plan takes into account, and in words what else there was.

    What names no namespace goes to `namespace`. Raises UnansweredError where something is no
    manifest.
    """
    found: list[tuple[Resource, Object]] = []
    others: list[str] = []
    for where, body in _bodies(places):
        resource = _resource(body)
        if resource is None:
            others.append(f"{body['kind']} {body['metadata']['name']}")
            continue
        _require_version(where, resource, body)
        metadata = dict(body["metadata"])
        if resource.namespaced:
            metadata.setdefault("namespace", namespace)
        found.append((resource, {**body, "metadata": metadata}))
    if places and not (found or others):
        raise UnansweredError(f"There is no manifest in {', '.join(places)}.")
    _require_once(found)
    return sorted(found, key=lambda each: PLANNED.index(each[0])), others


def _require_version(where: str, resource: Resource, body: Object) -> None:
    if body.get("apiVersion") != resource.api_version:
        raise UnansweredError(
            f"{where}: {resource.kind} of apiVersion {body.get('apiVersion')}; this program knows"
            f" {resource.api_version}."
        )


def _require_once(found: list[tuple[Resource, Object]]) -> None:
    seen = set()
    for resource, body in found:
        place = resource.kind, body["metadata"].get("namespace", ""), body["metadata"]["name"]
        if place in seen:
            raise UnansweredError(f"{' '.join(filter(None, place))} is there twice; say which.")
        seen.add(place)


def _resource(body: Object) -> Resource | None:
    """Tell which kind an object is; by its name alone, so that another version is told of."""
    group = str(body.get("apiVersion", "")).rpartition("/")[0]
    known = (each for each in PLANNED if (each.group, each.kind) == (group, body["kind"]))
    return next(known, None)


def _bodies(places: Sequence[str]) -> Iterator[tuple[str, Object]]:
    for place in places:
        for where, text in _texts(place):
            try:
                documents = list(yaml.safe_load_all(text))
            except yaml.YAMLError as error:
                raise UnansweredError(f"{where} is no YAML: {error}") from error
            for each in documents:
                yield from ((where, body) for body in _single(where, each))


def _texts(place: str) -> Iterator[tuple[str, str]]:
    if place == "-":
        yield "standard input", sys.stdin.read()
        return
    path = Path(place)
    files = [path]
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix in ENDINGS)
        if not files:
            raise UnansweredError(f"{place} holds no file that ends in {', '.join(ENDINGS)}.")
    for file in files:
        try:
            yield str(file), file.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise UnansweredError(f"{file} cannot be read: {error}") from error


def _single(where: str, document: Any) -> Iterator[Object]:
    """Take a document for an object, or for a list of them; an empty one is none."""
    if document is None:
        return
    if isinstance(document, dict) and isinstance(document.get("items"), list):
        for each in document["items"]:
            yield from _single(where, each)
        return
    metadata = document.get("metadata") if isinstance(document, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not (isinstance(name, str) and isinstance(document.get("kind"), str)):
        raise UnansweredError(f"{where}: something in it is no object with kind and name.")
    yield document

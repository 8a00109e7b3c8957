"""Where objects are in the API."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.ports import Resource


def path_of(resource: Resource, namespace: str, name: str = "") -> str:
    """Spell the path of an object, or of a list of them where there is no name."""
    root = f"/apis/{resource.group}" if resource.group else "/api"
    scope = f"/namespaces/{_segment(namespace)}" if namespace else ""
    tail = f"/{_segment(name)}" if name else ""
    return f"{root}/{resource.version}{scope}/{resource.plural}{tail}"


def _segment(name: str) -> str:
    """Spell a name as one segment of a path; one that might lead elsewhere is nobody's.

    Dots are resolved before the API server sees them, and it takes %2F for a slash. No object may
    bear such a name
    (https://github.com/kubernetes/apimachinery/blob/master/pkg/api/validation/path/name.go).
    """
    if name in (".", "..") or "/" in name or "%" in name:
        raise KubernetesRefusal(f"name {name!r}", HTTPStatus.NOT_FOUND, "NotFound", "")
    return quote(name, safe="")

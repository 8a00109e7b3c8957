"""Management locks at any scope (Microsoft.Authorization), and what they bar.

https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
"""

from __future__ import annotations

from sandbox.azure.arm.call import Call, Json, Operation, Reply, listing
from sandbox.azure.arm.scopes import require_scope
from sandbox.azure.errors import Refusal, bad_request
from sandbox.azure.rbac import covers
from sandbox.azure.state import Lock

KIND = "Microsoft.Authorization/locks"
_LEVELS = {"CanNotDelete": {"DELETE"}, "ReadOnly": {"DELETE", "PUT", "PATCH", "POST"}}


def _id(scope: str, name: str) -> str:
    return f"{scope}/providers/{KIND}/{name}"


def _document(lock: Lock) -> Json:
    notes = {"notes": lock.notes} if lock.notes else {}
    return {
        "id": _id(lock.scope, lock.name),
        "name": lock.name,
        "type": KIND,
        "properties": {"level": lock.level, **notes},
    }


def _key(call: Call) -> str:
    return _id(call.params["scope"], call.params["name"]).lower()


def _put(call: Call) -> Reply:
    require_scope(call.store, call.params["scope"])
    level = call.properties.get("level")
    if level not in _LEVELS:
        raise bad_request(f"The lock level '{level}' is not supported.")
    existing = call.store.locks.get(_key(call))
    notes = str(call.properties.get("notes") or "")
    lock = Lock(call.params["scope"], call.params["name"], str(level), notes)
    call.store.locks[_key(call)] = lock
    return Reply(200 if existing else 201, _document(lock))


def _get(call: Call) -> Reply:
    lock = call.store.locks.get(_key(call))
    if lock is None:
        raise Refusal(404, "LockNotFound", f"The lock '{call.params['name']}' could not be found.")
    return Reply(200, _document(lock))


def _delete(call: Call) -> Reply:
    return Reply(200 if call.store.locks.pop(_key(call), None) else 204)


def _list(call: Call) -> Reply:
    """The locks at a scope, above it and below it; the portal shows inherited ones, too."""
    scope = call.params["scope"]
    return listing(
        _document(lock)
        for lock in call.store.locks.values()
        if covers(lock.scope, scope) or covers(scope, lock.scope)
    )


def require_unlocked(call: Call) -> None:
    """Refuse what a lock at the resource or above it bars; a lock itself bars no lock."""
    if f"/providers/{KIND}/".lower() in call.path.lower():
        return
    barring = [
        lock.scope
        for lock in call.store.locks.values()
        if call.method in _LEVELS[lock.level] and _concerns(lock, call)
    ]
    if barring:
        verb = "delete" if call.method == "DELETE" else "write"
        listed = ",".join(f"'{each}'" for each in barring)
        raise Refusal(
            409,
            "ScopeLocked",
            f"The scope '{call.path}' cannot perform {verb} operation because following scope(s) "
            f"are locked: {listed}. Please remove the lock and try again.",
            gateway=True,
        )


def _concerns(lock: Lock, call: Call) -> bool:
    """Locks are inherited, and what holds a locked resource cannot be deleted either."""
    held = call.method == "DELETE" and covers(call.path, lock.scope)
    return held or covers(lock.scope, call.path)


_ALL = f"{{scope}}/providers/{KIND}"
_ONE = f"{_ALL}/{{name}}"

OPERATIONS = (
    Operation("PUT", _ONE, _put, resource=KIND),
    Operation("GET", _ONE, _get, resource=KIND),
    Operation("DELETE", _ONE, _delete, resource=KIND),
    Operation("GET", _ALL, _list, resource=KIND),
)

"""What ARM does before a resource provider sees a request: identify, throttle, authorize."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.responses import Response

from sandbox.azure.arm import (
    accounts,
    assignments,
    clusters,
    credentials,
    definitions,
    deleted_accounts,
    deployments,
    groups,
    identities,
    locks,
    metadata,
    models,
)
from sandbox.azure.arm.call import Attributes, Call, Json, Operation, Reply
from sandbox.azure.arm.scopes import require_subscription
from sandbox.azure.conditions import Question, holds
from sandbox.azure.errors import Refusal, authorization_failed
from sandbox.azure.ledger import note
from sandbox.azure.rbac import Verdict, judge
from sandbox.azure.settings import ARM_AUDIENCE, LOCATION, TENANT
from sandbox.azure.throttle import Throttle
from sandbox.azure.tokens import (
    ExpiredTokenError,
    InvalidTokenError,
    Tokens,
    WrongAudienceError,
    bearer,
)

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.azure.access import Caller
    from sandbox.azure.settings import Settings
    from sandbox.azure.world import World

OPERATIONS: tuple[Operation, ...] = (
    *groups.OPERATIONS,
    *credentials.OPERATIONS,
    *identities.OPERATIONS,
    *definitions.OPERATIONS,
    *assignments.OPERATIONS,
    *deployments.OPERATIONS,
    *accounts.OPERATIONS,
    *deleted_accounts.OPERATIONS,
    *models.OPERATIONS,
    *clusters.OPERATIONS,
    *locks.OPERATIONS,
)
_AUDIENCES = (ARM_AUDIENCE, "https://management.core.windows.net")
_NO_ATTRIBUTES: Attributes = {}
_COMMON = {
    "cache-control": "no-cache",
    "pragma": "no-cache",
    "expires": "-1",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Gateway:
    """ARM's front door."""

    world: World
    tokens: Tokens
    throttle: Throttle

    async def answer(self, request: Request) -> Response:
        """Serve one ARM request."""
        try:
            reply = await self._reply(request)
        except Refusal as refusal:
            headers = dict(refusal.headers)
            if refusal.gateway:
                headers["x-ms-failure-cause"] = "gateway"
            reply = Reply(refusal.status, refusal.document(), headers)
        return self._render(reply, request)

    async def _reply(self, request: Request) -> Reply:
        path = re.sub(r"/{2,}", "/", request.scope["path"]).rstrip("/")
        if "api-version" not in request.query_params:
            raise Refusal(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
                gateway=True,
            )
        if path.lower() == "/metadata/endpoints":
            return Reply(200, metadata.endpoints(self.world.base_url))
        caller = self._caller(request)
        note(request).principal = caller.oid
        require_subscription(path)
        operation, params = _operation(request.method, path)
        note(request).operation = operation.action or operation.template
        call = Call(
            method=request.method,
            path=path,
            params=params,
            query=dict(request.query_params),
            body=_parsed(await request.body()),
            caller=caller,
            now=self.world.clock(),
            world=self.world,
        )
        return await self._run(operation, call)

    async def _run(self, operation: Operation, call: Call) -> Reply:
        headers = self.throttle.admit(
            call.now,
            method=call.method,
            oid=call.caller.oid,
            kind=operation.kind,
            path=call.path,
            action=operation.action or "",
            on=self.world.settings.throttling,
        )
        _authorize(operation, call)
        locks.require_unlocked(call)
        with operation.guard(call):
            await asyncio.sleep(_latency(self.world.settings, operation))
            reply = operation.handler(replace(call, now=self.world.clock()))
        return replace(reply, headers={**headers, **reply.headers})

    def _caller(self, request: Request) -> Caller:
        token = bearer(request.headers.get("authorization", ""))
        if not token:
            raise _unauthenticated(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                "The authentication failed because of missing 'Authorization' header.",
            )
        try:
            return self.tokens.check(token, _AUDIENCES)
        except ExpiredTokenError as error:
            message = (
                f"The access token expiry UTC time '{_clock_time(error.expiry)}' is earlier than "
                f"current UTC time '{_clock_time(self.world.clock())}'."
            )
            raise _unauthenticated("ExpiredAuthenticationToken", message, message) from error
        except WrongAudienceError as error:
            allowed = ",".join(f"'{audience}'" for audience in _AUDIENCES)
            message = (
                "The access token has been obtained for wrong audience or resource "
                f"'{error.audience}'. It should exactly match with one of the allowed audiences "
                f"{allowed}."
            )
            raise _unauthenticated("InvalidAuthenticationToken", message, message) from error
        except InvalidTokenError as error:
            message = "The access token is invalid."
            raise _unauthenticated("InvalidAuthenticationToken", message, message) from error

    def _render(self, reply: Reply, request: Request) -> Response:
        request_id = self.world.new_guid()
        correlation = request.headers.get("x-ms-correlation-request-id", request_id)
        now = dt.datetime.fromtimestamp(self.world.clock(), dt.UTC)
        headers = {
            **_COMMON,
            "x-ms-request-id": request_id,
            "x-ms-correlation-request-id": correlation,
            "x-ms-routing-request-id": f"{LOCATION.upper()}:{now:%Y%m%dT%H%M%SZ}:{request_id}",
            **reply.headers,
        }
        if reply.body is None:
            return Response(status_code=reply.status, headers=headers)
        headers["content-type"] = "application/json; charset=utf-8"
        content = "" if request.method == "HEAD" else json.dumps(reply.body, ensure_ascii=False)
        return Response(content, reply.status, headers)


def _operation(method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
    for operation in OPERATIONS:
        if operation.method == method and (match := operation.pattern.fullmatch(path)):
            return operation, match.groupdict()
    _, _, rest = path.rpartition("/providers/")
    namespace, _, kind = rest.partition("/")
    raise Refusal(
        404,
        "InvalidResourceType",
        f"The resource type '{kind}' could not be found in the namespace '{namespace}'.",
        gateway=True,
    )


def _parsed(body: bytes) -> Json:
    if not body:
        return {}
    try:
        document = json.loads(body)
    except ValueError as error:
        raise Refusal(
            400,
            "InvalidRequestContent",
            f"The request content was invalid and could not be deserialized: '{error}'.",
            gateway=True,
        ) from error
    return document if isinstance(document, dict) else {}


def _authorize(operation: Operation, call: Call) -> None:
    if operation.action is None:
        return
    scope = operation.scope(call.path)
    verdict = judge(
        operation.action,
        scope,
        assignments=call.store.assignments_of(call.caller.oid),
        roles=call.store.roles,
        holds=_condition(operation, call),
    )
    if verdict is not Verdict.ALLOWED:
        raise authorization_failed(
            call.caller.client_id,
            call.caller.oid,
            operation.action,
            scope,
            condition=verdict is Verdict.CONDITION_NOT_MET,
        )


def _condition(operation: Operation, call: Call) -> Callable[[str], bool]:
    """Conditions speak about role assignments; one that is not there can be deleted by anybody."""
    if operation.resource != assignments.KIND or "name" not in call.params:
        request, resource = _NO_ATTRIBUTES, _NO_ATTRIBUTES
    else:
        request, resource = assignments.attributes(call)
        if call.method == "DELETE" and not any(resource.values()):
            return lambda _text: True
    question = Question(operation.action or "", request, resource)
    return lambda text: holds(text, question)


def _latency(settings: Settings, operation: Operation) -> float:
    if operation.method in {"GET", "HEAD"}:
        return settings.latency_read
    if operation.method == "DELETE":
        return settings.latency_delete
    special = {
        "identity": settings.latency_identity,
        "credential": settings.latency_credential,
        "role": settings.latency_role,
    }
    return special.get(operation.kind, settings.latency_write)


def _clock_time(seconds: float) -> str:
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return f"{moment.month}/{moment.day}/{moment.year} {moment:%I:%M:%S %p}"


def _unauthenticated(code: str, message: str, description: str) -> Refusal:
    challenge = (
        f'Bearer authorization_uri="https://login.windows.net/{TENANT}", '
        f'error="invalid_token", error_description="{description}"'
    )
    return Refusal(401, code, message, {"www-authenticate": challenge}, gateway=True)

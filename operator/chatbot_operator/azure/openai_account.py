"""Azure OpenAI accounts: their models, and from the SDK's values to the port's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.mgmt.cognitiveservices.aio import CognitiveServicesManagementClient

from chatbot_operator.ports import Model, Network, OpenAIAccount, PrivateEndpoint

Retirements = Mapping[tuple[str, str], str]
"""Dates (YYYY-MM-DD) by name and version of a model."""


async def models(client: CognitiveServicesManagementClient, where: tuple[str, str]) -> list[Any]:
    """List the models that an account may deploy; none where Azure does not let the operator ask.

    They are worth knowing and no more: a role or a cloud without them bars nobody.
    """
    try:
        return [each async for each in client.accounts.list_models(*where)]
    except HttpResponseError as error:
        if error.status_code in {
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
        }:
            return []
        raise


def retirements(models: Iterable[Any]) -> Retirements:
    """Give the dates on which Azure ends models, as far as it says."""
    return {
        (model.name, model.version): str(model.deprecation.inference)[:10]
        for model in models
        if model.deprecation and model.deprecation.inference
    }


def openai_account(found: Any, deployments: Iterable[Any], retiring: Retirements) -> OpenAIAccount:
    """Give what Azure says of an account and its deployments."""
    properties = found.properties
    # An AIServices account answers OpenAI calls at another host than properties.endpoint.
    endpoints = properties.endpoints or {}
    endpoint = endpoints.get("OpenAI Language Model Instance API") or properties.endpoint or ""
    return OpenAIAccount(
        kind=found.kind,
        location=found.location,
        endpoint=endpoint,
        subdomain=properties.custom_sub_domain_name or "",
        provisioning_state=properties.provisioning_state or "",
        keys=not properties.disable_local_auth,
        network=_network(properties),
        models=tuple(_model(each, retiring) for each in deployments),
    )


def _model(deployment: Any, retiring: Retirements) -> Model:
    properties, sku = deployment.properties, deployment.sku
    model = (properties.model.name or "", properties.model.version or "")
    return Model(
        deployment.name,
        *model,
        capacity=(sku.capacity or 0) if sku else 0,
        state=properties.provisioning_state or "",
        retires=retiring.get(model, ""),
        # Strings, not booleans; one that says nothing of itself may do everything.
        chat=not properties.capabilities or properties.capabilities.get("chatCompletion") == "true",
    )


def _network(properties: Any) -> Network:
    rules = properties.network_acls
    closed = rules is not None and rules.default_action == "Deny"
    exceptions = [*(rules.ip_rules or ()), *(rules.virtual_network_rules or ())] if closed else []
    return Network(
        public=properties.public_network_access != "Disabled",
        everywhere=not closed,
        rules=len(exceptions),
        endpoints=tuple(map(_private_endpoint, properties.private_endpoint_connections or ())),
    )


def _private_endpoint(found: Any) -> PrivateEndpoint:
    state = found.properties and found.properties.private_link_service_connection_state
    return PrivateEndpoint(found.name or "", (state and state.status) or "")

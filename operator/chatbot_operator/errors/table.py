"""What an answer means: from service, status and code to a reason. Never from the text.

The codes of Resource Manager are those of
https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors,
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting and
https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations; Entra's
are the AADSTS numbers of https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chatbot_operator.errors.faults import Service

ARM, ENTRA, KUBERNETES, POD = Service


@dataclass(frozen=True, slots=True)
class Row:
    """An answer and the reason that it gives.

    `status` or `code` None: any. A status of 500 stands for all of 5xx; 0 for no answer.
    `meanwhile`: the reason for as long as what the answer is about may still be spreading.
    """

    service: Service
    status: int | None
    code: str | None
    reason: str
    meanwhile: str = ""


TABLE: Final = (
    Row(ARM, 0, None, "AzureUnreachable"),
    Row(ARM, 429, None, "AzureThrottled"),
    Row(ARM, 429, "SubscriptionRequestsThrottled", "AzureThrottled"),
    Row(ARM, 429, "TooManyRequests", "AzureThrottled"),
    Row(ARM, 500, None, "AzureError"),
    Row(ARM, 408, None, "AzureError"),
    Row(ARM, 404, None, "AzureError"),
    Row(ARM, 409, None, "AzureError"),
    Row(ARM, 401, None, "OperatorNotAuthenticated"),
    Row(ARM, 401, "AuthenticationFailed", "OperatorNotAuthenticated"),
    Row(ARM, 401, "ExpiredAuthenticationToken", "OperatorNotAuthenticated"),
    Row(ARM, 401, "InvalidAuthenticationToken", "OperatorNotAuthenticated"),
    Row(ARM, 401, "InvalidAuthenticationTokenTenant", "OperatorNotAuthenticated"),
    Row(ARM, None, "AuthorizationFailed", "AzureAccessDenied"),
    Row(ARM, None, "LinkedAuthorizationFailed", "AzureAccessDenied"),
    Row(ARM, None, "RequestDisallowedByPolicy", "DeniedByAzurePolicy"),
    Row(ARM, None, "ScopeLocked", "ResourceLocked"),
    Row(ARM, None, "SubscriptionNotFound", "SubscriptionNotFound"),
    Row(ARM, None, "ResourceGroupNotFound", "ResourceGroupNotFound"),
    Row(ARM, None, "MissingSubscriptionRegistration", "ProviderNotRegistered"),
    Row(ARM, 404, "ResourceNotFound", "AzureResourceMissing"),
    Row(ARM, 404, "ParentResourceNotFound", "AzureResourceMissing"),
    Row(ARM, 404, "BadRequest", "AzureResourceMissing"),
    Row(ARM, 404, "RoleAssignmentNotFound", "AzureResourceMissing"),
    Row(ARM, None, "InvalidResourceLocation", "IdentityLocationConflict"),
    Row(ARM, 405, None, "RegionWithoutFederation"),
    Row(ARM, 405, "BadRequest", "RegionWithoutFederation"),
    Row(
        ARM,
        409,
        "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
        "ConcurrentWrites",
    ),
    Row(ARM, None, "PrincipalNotFound", "PrincipalReplicating"),
    Row(ARM, 409, "RoleAssignmentExists", "RoleAssignmentExists"),
    Row(ARM, None, "RoleAssignmentUpdateNotPermitted", "RoleAssignmentNameTaken"),
    Row(ARM, None, "RoleAssignmentLimitExceeded", "RoleAssignmentLimit"),
    Row(ARM, None, "RoleDefinitionDoesNotExist", "RoleMissing"),
    Row(ARM, None, "InvalidRoleAssignmentId", "AzureRefused"),
    Row(ARM, None, "MissingApiVersionParameter", "AzureRefused"),
    Row(ARM, None, "BadRequest", "AzureRefused"),
    Row(ARM, None, "AccountIsNotSucceeded", "AzureError"),
    Row(ARM, None, "AccountProvisioningStateInvalid", "AzureError"),
    Row(ARM, None, "RequestConflict", "ConcurrentWrites"),
    Row(ARM, None, "InsufficientQuota", "QuotaExceeded"),
    Row(ARM, None, None, "AzureRefused"),
    Row(ENTRA, 0, None, "EntraUnavailable"),
    Row(ENTRA, 429, None, "EntraUnavailable"),
    Row(ENTRA, 500, None, "EntraUnavailable"),
    Row(ENTRA, None, "AADSTS70021", "FederationMisconfigured", "FederationPropagating"),
    Row(ENTRA, None, "AADSTS700211", "FederationMisconfigured", "FederationPropagating"),
    Row(ENTRA, None, "AADSTS700212", "FederationMisconfigured", "FederationPropagating"),
    Row(ENTRA, None, "AADSTS700213", "FederationMisconfigured", "FederationPropagating"),
    Row(ENTRA, None, "AADSTS70025", "FederationMisconfigured", "FederationPropagating"),
    Row(ENTRA, None, "AADSTS7002138", "FederationMisconfigured"),
    Row(ENTRA, None, "AADSTS700016", "IdentityUnknownToEntra", "FederationPropagating"),
    Row(ENTRA, None, "AADSTS700024", "ClockSkew"),
    Row(ENTRA, None, "AADSTS90061", "IssuerUnreachable"),
    Row(ENTRA, None, "AADSTS50027", "TokenMalformed"),
    Row(ENTRA, None, "AADSTS90002", "TenantNotFound"),
    Row(ENTRA, None, "AADSTS7000216", "TokenMissing"),
    Row(ENTRA, None, None, "FederationMisconfigured", "FederationPropagating"),
    Row(KUBERNETES, 400, None, "ClusterRefused"),
    Row(KUBERNETES, 403, None, "ClusterRefused"),
    Row(KUBERNETES, 403, "NamespaceTerminating", "NamespaceLeaving"),
    Row(KUBERNETES, 413, None, "ClusterRefused"),
    Row(KUBERNETES, 422, None, "ClusterRefused"),
    Row(KUBERNETES, None, None, "ClusterUnavailable"),
    Row(POD, None, "Starting", "Proving"),
    Row(POD, None, "WaitingForCredential", "Proving"),
    Row(POD, None, "PermissionDenied", "RoleMisconfigured", "RolePropagating"),
    Row(POD, None, "ExchangeRefused", "FederationMisconfigured", "FederationPropagating"),
    Row(POD, None, "AuthorityUnreachable", "AuthorityUnreachable"),
    Row(POD, None, "EndpointUnreachable", "EndpointUnreachable"),
    Row(POD, None, "Throttled", "Throttled"),
    Row(POD, None, "ServiceError", "ServiceError"),
    Row(POD, None, "NotInjected", "NotInjected"),
    Row(POD, None, "WrongPrincipal", "WrongPrincipal"),
    Row(POD, None, "TokenRejected", "TokenRejected"),
    Row(POD, None, "NetworkDenied", "NetworkDenied"),
    Row(POD, None, "SubdomainMissing", "SubdomainMissing"),
    Row(POD, None, "DeploymentNotFound", "DeploymentNotFound"),
    Row(POD, None, "Misconfigured", "Misconfigured"),
    Row(POD, None, None, "UnknownReadiness"),
)

_ROWS: Final = {(row.service, row.status, row.code): row for row in TABLE}
_THROTTLED: Final = 429
_FAILED: Final = 500
"""All of 5xx."""


def look_up(service: Service, status: int, code: str) -> Row:
    """Find what an answer means; the more exactly it is known, the better.

    A throttled call says nothing about anything else, whatever its code.
    """
    by_status, by_code = (service, status, None), (service, None, code)
    keys = (
        (service, status, code),
        *((by_status, by_code) if status == _THROTTLED else (by_code, by_status)),
        (service, min(status, _FAILED), None),
        (service, None, None),
    )
    return next(_ROWS[key] for key in keys if key in _ROWS)

"""The document by which `az cloud register` learns where everything is."""

from __future__ import annotations

from sandbox.azure.arm.call import Json
from sandbox.azure.settings import ARM_AUDIENCE, TENANT


def endpoints(base_url: str) -> Json:
    """One object, as api-version 2022-09-01 has it; a list makes `az` fail."""
    return {
        "name": "sandbox",
        "portal": base_url,
        "authentication": {
            "loginEndpoint": base_url,
            "audiences": [ARM_AUDIENCE, f"{ARM_AUDIENCE}/"],
            "tenant": TENANT,
            "identityProvider": "AAD",
        },
        "resourceManager": base_url,
        "graph": base_url,
        "graphAudience": base_url,
        "microsoftGraphResourceId": base_url,
        "media": base_url,
        "batch": base_url,
        "gallery": base_url,
        "sqlManagement": base_url,
        "activeDirectoryDataLake": base_url,
        "vmImageAliasDoc": base_url,
        "suffixes": {"keyVaultDns": "vault.invalid", "storage": "storage.invalid"},
    }

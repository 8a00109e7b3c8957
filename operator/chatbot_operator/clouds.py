"""Azure's clouds: where each answers, and for whom its tokens are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

EXCHANGE: Final = "api://AzureADTokenExchange"
"""The audience that the workload identity webhook projects, whatever the cloud.

Entra's pages name others for sovereign clouds, but a credential has to name what tokens bear.
"""


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud; all of it is a default that a setting of its own overrides."""

    authority: str
    arm_endpoint: str
    arm_scope: str
    data_scope: str
    audience: str = EXCHANGE

    def settings(self) -> Mapping[str, str]:
        """Give it as the settings that it stands for."""
        return {
            "AZURE_AUTHORITY_HOST": self.authority,
            "ARM_ENDPOINT": self.arm_endpoint,
            "ARM_SCOPE": self.arm_scope,
            "OPENAI_SCOPE": self.data_scope,
            "TOKEN_AUDIENCE": self.audience,
        }


AUTHORITIES: Final = frozenset({"login.windows.net", "login.microsoft.com"})
"""Hosts of Entra that are no cloud's own any more, and answer still."""

# azure.core.AzureClouds and azure.mgmt.core.tools.get_arm_endpoints; the scope of US Government's
# Resource Manager is not its host.
CLOUDS: Final = {
    "Public": Cloud(
        authority="https://login.microsoftonline.com/",
        arm_endpoint="https://management.azure.com",
        arm_scope="https://management.azure.com/.default",
        data_scope="https://cognitiveservices.azure.com/.default",
    ),
    "USGovernment": Cloud(
        authority="https://login.microsoftonline.us/",
        arm_endpoint="https://management.usgovcloudapi.net",
        arm_scope="https://management.core.usgovcloudapi.net/.default",
        data_scope="https://cognitiveservices.azure.us/.default",
    ),
    "China": Cloud(
        authority="https://login.chinacloudapi.cn/",
        arm_endpoint="https://management.chinacloudapi.cn",
        arm_scope="https://management.chinacloudapi.cn/.default",
        data_scope="https://cognitiveservices.azure.cn/.default",
    ),
}


def is_entra(authority: str, also: str = "") -> bool:
    """Tell whether an authority, which anybody's pod may name, is one of Microsoft's.

    `also` is one that a person has said to be theirs.
    """
    where, own = urlsplit(authority), urlsplit(also)
    if also and (where.scheme, where.netloc) == (own.scheme, own.netloc):
        return True
    hosts = {urlsplit(each.authority).netloc for each in CLOUDS.values()} | AUTHORITIES
    return where.scheme == "https" and where.netloc.lower() in hosts

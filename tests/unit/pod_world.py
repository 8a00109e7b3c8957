"""A pod whose every link is whole, as values; tests break one at a time."""

from __future__ import annotations

import datetime as dt
import shlex
from dataclasses import replace

from chatbot_operator.cli.pod.in_azure import Azure, Grant, Role, Subscription, Target
from chatbot_operator.cli.pod.observed import (
    CLIENT_ID,
    USE,
    Claims,
    Cluster,
    Container,
    Hook,
    Owner,
    Pod,
    Projection,
    ServiceAccount,
    Variable,
)
from chatbot_operator.ports import Credential, Discovery, Identity, OpenAIAccount, Tenancy

CLIENT = "11111111-1111-4111-8111-111111111111"
TENANT = "22222222-2222-4222-8222-222222222222"
PRINCIPAL = "33333333-3333-4333-8333-333333333333"
OTHER = "44444444-4444-4444-8444-444444444444"
ISSUER = "https://oidc.example/abc/"
SUBJECT = "system:serviceaccount:team:web"
AUDIENCE = "api://AzureADTokenExchange"
GROUP = "/subscriptions/s/resourceGroups/rg"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/contoso"
FILE = "/var/run/secrets/azure/wi/token/azure-identity-token"
NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
CHAT = Role("Cognitive Services OpenAI User", ("Microsoft.CognitiveServices/accounts/OpenAI/*",))


def kubectl(*words):
    return shlex.join(("kubectl", *words))


def variables(**more):
    said = {
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_FEDERATED_TOKEN_FILE": FILE,
        "AZURE_AUTHORITY_HOST": "https://login.example/",
        **more,
    }
    return {name: Variable(value) for name, value in said.items() if value is not None}


def container(name="web", **more):
    return Container(name, variables(**more), {"wi": "/var/run/secrets/azure/wi"})


BARE = Container("web")
"""A container that the webhook has not seen."""

POD = Pod(
    namespace="team",
    name="web-1",
    created=NOW,
    phase="Running",
    leaving=False,
    labels={USE: "true"},
    annotations={},
    account="web",
    containers=(container(),),
    projections=(Projection("wi", "token/azure-identity-token", AUDIENCE, 3600),),
)
DEPLOYMENT = Owner("Deployment", "web", {}, {USE: "true"}, {"web": frozenset()})
HOOK = Hook(
    "azure-wi-webhook", "Fail", {}, {"matchLabels": {USE: "true"}}, ("kube-system", "wi"), 2
)
CLUSTER = Cluster(
    pod=POD,
    owner=DEPLOYMENT,
    account=ServiceAccount({}, {CLIENT_ID: CLIENT}),
    namespace={"kubernetes.io/metadata.name": "team"},
    hooks=(HOOK,),
    claims=Claims(ISSUER, SUBJECT, AUDIENCE, "key", NOW, NOW + dt.timedelta(minutes=10)),
)
OPENAI = OpenAIAccount("OpenAI", "eastus", "https://contoso/", "contoso", "Succeeded", ())
AZURE = Azure(
    client_id=CLIENT,
    tenant=TENANT,
    authority="https://login.example/",
    published=Discovery(ISSUER, frozenset({"key"})),
    tenancy=Tenancy(at=NOW),
    subscriptions=(Subscription("s", "Main"),),
    identity=Identity(IDENTITY, "web", "eastus", PRINCIPAL, CLIENT, TENANT),
    credentials=(Credential("cluster", ISSUER, SUBJECT, (AUDIENCE,)),),
    grants=(Grant(ACCOUNT, CHAT),),
    target=Target(ACCOUNT, "as --account says", OPENAI),
)


def with_pod(**changes):
    return replace(CLUSTER, pod=replace(POD, **changes))


def annotated(**notes):
    marks = {f"azure.workload.identity/{key.replace('_', '-')}": v for key, v in notes.items()}
    return replace(CLUSTER, account=ServiceAccount({}, marks))

"""The chart of the operator by real Helm: what it renders, and what it says to those who err."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml
from chatbot_operator.settings import LARGEST, VARIABLES
from helm_program import CHARTS, CLIENT, Helm
from metrics_page import ALERTS

OF_EVERY_OBJECT = {
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/version",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
}
OPERATOR = CHARTS / "chatbot-operator"
KUSTOMIZE = CHARTS.parent / "kustomize"
BY_THE_POD = {"HOST", "POD_NAME", "POD_NAMESPACE"}
BY_THE_WEBHOOK = {
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
}
FOUR = {
    "azure": {"clientId": CLIENT, "subscription": "00000000-0000-0000-0000-000000000002"},
    "identity": {"resourceGroup": "chatbots", "location": "westeurope"},
}
EVERY_SETTING = {
    "azure": {
        "clientId": CLIENT,
        "cloud": "China",
        "manage": "Nothing",
        "armEndpoint": "https://arm.test",
        "armScope": "arm",
        "openAIScope": "openai",
        "tokenAudience": "audience",
    },
    "identity": {"resourceGroup": "chatbots", "location": "westeurope", "rebind": "Auto"},
    "ownerId": "owner",
    "watchNamespaces": ["team-a", "team-b"],
    "gatewayNamespaces": ["gateways"],
    "monitoringNamespaces": ["monitoring"],
    "chatbots": {
        "image": {"repository": "registry.test/chatbot", "tag": "2"},
        "httpsProxy": "http://proxy.test:3128",
        "noProxy": ".test",
        "authorities": {"configMap": "ours", "key": "ca.pem"},
    },
    "timing": {
        "proofDelaySeconds": 0,
        "proofRecheckSeconds": 1,
        "propagationDeadlineSeconds": LARGEST,
        "resyncSeconds": 2,
        "withdrawalGraceSeconds": 3,
        "credentialGraceSeconds": 4,
    },
    "workers": 5,
    "probePort": 9090,
    "authorities": {"configMap": "ours"},
}


def kustomized(binaries, directory):
    done = subprocess.run(
        [binaries / "kubectl", "kustomize", directory], capture_output=True, check=True
    )
    return list(yaml.safe_load_all(done.stdout))


def compared(objects):
    """Objects by what they are, without the labels that only charts give."""
    found = {}
    for each in objects:
        meta = each["metadata"]
        labels = meta.pop("labels", None) or {}
        rest = {key: value for key, value in labels.items() if key not in OF_EVERY_OBJECT}
        if "rules" in each:
            each["rules"] = sorted(right for rule in each["rules"] for right in rights(rule))
        key = each["kind"], meta.get("namespace"), meta["name"]
        assert key not in found
        found[key] = each | {"metadata": meta | {"labels": rest}}
    return found


def rights(rule):
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                yield group, resource, verb, *rule.get("resourceNames", ())


def container(objects):
    (deployment,) = (each for each in objects if each["kind"] == "Deployment")
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return only


def environment(objects):
    return {each["name"]: each.get("value") for each in container(objects)["env"]}


def only(objects, kind):
    (found,) = (each for each in objects if each["kind"] == kind)
    return found


@pytest.mark.parametrize(
    ("directory", "values"),
    [("base", {}), ("overlays/namespaced", {"watchNamespaces": ["chatbots"]})],
)
def test_the_chart_renders_what_kustomize_does(helm: Helm, binaries, directory, values):
    """Helm makes the namespace; the NetworkPolicy is the chart's own."""
    ours = compared(helm.rendered(values | {"azure": {"clientId": CLIENT}}))
    theirs = compared(kustomized(binaries, KUSTOMIZE / directory))
    del theirs["Namespace", None, "chatbot-operator"]
    del ours["NetworkPolicy", "chatbot-operator", "chatbot-operator"]
    account = theirs["ServiceAccount", "chatbot-operator", "chatbot-operator"]
    account["metadata"]["annotations"]["azure.workload.identity/client-id"] = CLIENT
    assert ours.keys() == theirs.keys()
    for key, each in theirs.items():
        assert ours[key] == each


def test_four_values_are_enough(helm: Helm):
    env = environment(helm.rendered(FOUR))
    assert env.items() >= {
        ("IDENTITY_RESOURCE_GROUP", "chatbots"),
        ("IDENTITY_LOCATION", "westeurope"),
    }
    assert env.keys() - BY_THE_POD == {
        "IDENTITY_RESOURCE_GROUP",
        "IDENTITY_LOCATION",
        "PROBE_PORT",
        "CHATBOT_IMAGE",
    }


def test_every_setting_is_a_value(helm: Helm):
    objects = helm.rendered(EVERY_SETTING)
    env = environment(objects)
    assert env.keys() | BY_THE_WEBHOOK == {variable.name for variable in VARIABLES}
    assert (env["PROOF_DELAY_SECONDS"], env["PROPAGATION_DEADLINE_SECONDS"]) == ("0", "86400")
    assert env["WATCH_NAMESPACES"] == "team-a,team-b"
    assert env["CHATBOT_IMAGE"] == "registry.test/chatbot:2"
    mounts = {each["name"]: each["mountPath"] for each in container(objects)["volumeMounts"]}
    assert env["CHATBOT_CA_FILE"] == f"{mounts['chatbots-authorities']}/ca.pem"
    assert env["EXTRA_CA_FILE"] == f"{mounts['authorities']}/ca.crt"


def test_defaults_that_the_values_tell_are_the_operators(helm: Helm):
    told = json.loads((OPERATOR / "values.schema.json").read_text())["properties"]
    defaults = {variable.name: variable.default for variable in VARIABLES}
    seconds = {
        "proofDelaySeconds": "PROOF_DELAY_SECONDS",
        "proofRecheckSeconds": "PROOF_RECHECK_SECONDS",
        "propagationDeadlineSeconds": "PROPAGATION_DEADLINE_SECONDS",
        "resyncSeconds": "RESYNC_SECONDS",
        "withdrawalGraceSeconds": "WITHDRAWAL_GRACE_SECONDS",
        "credentialGraceSeconds": "CREDENTIAL_GRACE_SECONDS",
    }
    timing = told["timing"]["properties"]
    assert timing.keys() == seconds.keys()
    written = (OPERATOR / "values.yaml").read_text()
    for name, variable in seconds.items():
        assert str(timing[name]["default"]) == defaults[variable]
        assert timing[name]["maximum"] == LARGEST
        assert f"{name} {defaults[variable]}" in written
    assert str(told["workers"]["default"]) == defaults["WORKERS"]


def test_an_operator_for_some_namespaces_has_rights_in_these_only(helm: Helm):
    objects = helm.rendered(FOUR | {"watchNamespaces": ["team-a", "team-b"]})
    roles = {
        each["metadata"]["namespace"]: {resource for _, resource, *_ in rights_of(each)}
        for each in objects
        if each["kind"] == "Role"
    }
    assert roles["team-a"] == roles["team-b"] > {"deployments", "azureopenaichatbots"}
    (wide,) = (
        each
        for each in objects
        if (each["kind"], each["metadata"]["name"]) == ("ClusterRole", "chatbot-operator")
    )
    assert {resource for _, resource, *_ in rights_of(wide)} == {
        "azureopenaiaccounts",
        "azureopenaiaccounts/status",
        "namespaces",
    }


def rights_of(role):
    return [right for rule in role["rules"] for right in rights(rule)]


def test_only_what_monitors_reads_the_operators_metrics(helm: Helm):
    assert only(helm.rendered(FOUR), "NetworkPolicy")["spec"]["ingress"] == []
    watched = helm.rendered(FOUR | {"monitoringNamespaces": ["monitoring"]})
    (rule,) = only(watched, "NetworkPolicy")["spec"]["ingress"]
    (source,) = rule["from"]
    (expression,) = source["namespaceSelector"]["matchExpressions"]
    assert expression["values"] == ["monitoring"]
    (port,) = rule["ports"]
    assert port["port"] in {each["name"] for each in container(watched)["ports"]}


def test_a_proxy_that_the_policy_would_keep_it_from_is_refused_in_words(helm: Helm):
    proxied = FOUR | {"extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.test:3128"}]}
    assert "networkPolicy.extraEgress" in helm.refusal(proxied)
    way = {"to": [{"ipBlock": {"cidr": "10.0.0.9/32"}}], "ports": [{"port": 3128}]}
    objects = helm.rendered(proxied | {"networkPolicy": {"extraEgress": [way]}})
    assert way in only(objects, "NetworkPolicy")["spec"]["egress"]
    assert environment(objects)["HTTPS_PROXY"] == "http://proxy.test:3128"


def test_what_is_monitored_is_what_the_documents_say(helm: Helm):
    objects = helm.rendered(
        FOUR | {"monitoring": {"podMonitors": True, "rules": True, "labels": {"release": "p"}}}
    )
    shipped = (CHARTS.parent / "observability/podmonitors.yaml").read_text()
    specs = {each["metadata"]["name"]: each["spec"] for each in yaml.safe_load_all(shipped)}
    monitors = [each for each in objects if each["kind"] == "PodMonitor"]
    assert {each["metadata"]["name"]: each["spec"] for each in monitors} == specs
    rules = only(objects, "PrometheusRule")
    (group,) = rules["spec"]["groups"]
    assert [each["expr"] for each in group["rules"]] == list(ALERTS.values())
    for each in (*monitors, rules):
        assert each["metadata"]["labels"]["release"] == "p"
    managed = {"podMonitors": True, "podMonitorGroup": "azmonitoring.coreos.com"}
    kinds = {(e["apiVersion"], e["kind"]) for e in helm.rendered(FOUR | {"monitoring": managed})}
    assert ("azmonitoring.coreos.com/v1", "PodMonitor") in kinds
    assert "PrometheusRule" not in {kind for _, kind in kinds}


def test_nothing_of_a_fleet_is_in_the_release(helm: Helm):
    kinds = {each["kind"] for each in helm.rendered(EVERY_SETTING)}
    assert not {kind for kind in kinds if "OpenAI" in kind or kind == "CustomResourceDefinition"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "azure.clientId is missing: the client id of the operator's managed identity"),
        ({"azure": {"clientId": "chatbots"}}, "'/azure/clientId': 'chatbots' does not match"),
        ({"azure": {"clientID": CLIENT}}, "'/azure': additional properties 'clientID' not"),
        ({"replica": 2}, "additional properties 'replica' not allowed"),
        ({"replicas": "2"}, "'/replicas': got string, want integer"),
        ({"timing": {"resyncSeconds": 0}}, "'/timing/resyncSeconds': minimum: got 0, want 1"),
        ({"timing": {"resync": 9}}, "additional properties 'resync' not allowed"),
        ({"azure": {"cloud": "Germany"}}, "value must be one of '', 'Public', 'USGovernment'"),
        ({"watchNamespaces": "team"}, "'/watchNamespaces': got string, want array"),
        ({"identity": {"location": "West Europe"}}, "'West Europe' does not match pattern"),
        ({"image": {"digest": "latest"}}, "'/image/digest': 'latest' does not match pattern"),
    ],
)
def test_a_wrong_value_is_named(helm: Helm, values, words):
    assert words in helm.refusal(values)


def test_an_older_cluster_is_refused(helm: Helm):
    assert "requires kubeVersion: >=1.31.0-0" in helm.refusal(FOUR, "--kube-version=1.30.9")


@pytest.mark.parametrize("chart", ["chatbot-operator", "chatbot-operator-crds"])
def test_charts_lint(helm: Helm, chart):
    values = FOUR if chart == "chatbot-operator" else {}
    assert "1 chart(s) linted, 0 chart(s) failed" in helm.lint(values, chart)


def test_the_notes_say_what_to_do_next(helm: Helm):
    notes = helm.notes(FOUR)
    assert "system:serviceaccount:chatbot-operator:chatbot-operator" in notes
    assert "kubectl chatbot doctor" in notes
    assert "identity.resourceGroup is not set" not in notes
    assert "identity.resourceGroup is not set" in helm.notes({"azure": {"clientId": CLIENT}})


def test_helm_test_is_the_operator_that_looks_at_azure(helm: Helm):
    given = EVERY_SETTING | {"azure": EVERY_SETTING["azure"] | FOUR["azure"]}
    objects = helm.rendered(given, tests=True)
    pod = only(objects, "Pod")
    (looking,) = pod["spec"]["containers"]
    works = container(objects)
    group = f"/subscriptions/{FOUR['azure']['subscription']}/resourceGroups/chatbots"
    assert looking["args"] == ["--check", group]
    for same in ("image", "securityContext", "volumeMounts", "resources"):
        assert looking[same] == works[same]
    settings = {each["name"]: each["value"] for each in looking["env"]}
    assert settings.keys() == environment(objects).keys() - BY_THE_POD
    operator = only(objects, "Deployment")["spec"]
    for same in ("serviceAccountName", "securityContext", "volumes"):
        assert pod["spec"][same] == operator["template"]["spec"][same]
    labels = pod["metadata"]["labels"]
    assert labels["azure.workload.identity/use"] == "true"
    picked = operator["selector"]["matchLabels"]
    assert not picked.items() <= labels.items(), "it is none of the operator's replicas"
    (who,) = only(objects, "NetworkPolicy")["spec"]["podSelector"]["matchExpressions"]
    for each in (labels, operator["template"]["metadata"]["labels"]):
        assert each[who["key"]] in who["values"]
    assert "Pod" not in {each["kind"] for each in helm.rendered(EVERY_SETTING, tests=True)}
    assert "helm test chatbot-operator" in helm.notes(FOUR)

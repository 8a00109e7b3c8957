"""Pods as processes, on a real control plane."""

from __future__ import annotations

import json
import os
import subprocess

from pods import get, until, web
from sandbox.processes import birth


def status_of(namespace, name):
    return namespace.pod(name)["status"]["containerStatuses"][0]


def waiting(namespace, name):
    return status_of(namespace, name).get("state", {}).get("waiting", {})


def test_a_pod_becomes_ready_by_its_probe_and_serves_at_its_own_address(namespace):
    namespace.apply(web("a"))
    namespace.apply(web("b"))

    one, other = namespace.ready("a"), namespace.ready("b")

    assert namespace.read("a", "/") == "a"
    assert namespace.read("b", "/") == "b"
    assert one["status"]["podIP"] != other["status"]["podIP"]
    assert one["status"]["phase"] == "Running"
    assert {c["type"] for c in one["status"]["conditions"] if c["status"] == "True"} >= {
        "PodScheduled",
        "Initialized",
        "ContainersReady",
        "Ready",
    }


def test_a_pod_gets_its_own_environment_and_little_of_the_hosts(namespace, authority, monkeypatch):
    namespace.apply(web("a", container={"env": [{"name": "OWN", "value": "$(POD)!"}]}))
    namespace.ready("a")

    environment = json.loads(namespace.read("a", "/env"))

    assert environment["OWN"] == "a!"
    assert environment["EXTRA"] == "given"
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["SSL_CERT_FILE"] == str(authority.bundle)
    assert environment["REQUESTS_CA_BUNDLE"] == str(authority.bundle)
    assert "HOME" not in environment


def test_an_automounted_token_comes_as_a_kubeconfig(namespace, sandbox):
    namespace.apply(web("a"))
    namespace.ready("a")

    config = json.loads(namespace.read("a", "/env"))["KUBECONFIG"]
    kubectl = sandbox.cluster.plane.binaries / "kubectl"
    answer = subprocess.run(
        [kubectl, "--kubeconfig", config, "auth", "whoami", "-o", "json"],
        capture_output=True,
        check=True,
    )

    user = json.loads(answer.stdout)["status"]["userInfo"]
    assert user["username"] == f"system:serviceaccount:{namespace.name}:default"


def test_a_config_map_arrives_late_and_changes_arrive_too(namespace):
    volume = {"name": "settings", "configMap": {"name": "settings"}}
    mount = {"name": "settings", "mountPath": "/etc/chat"}
    namespace.apply(web("a", volumes=[volume], container={"volumeMounts": [mount]}))
    until(lambda: "not found" in waiting(namespace, "a").get("message", ""))
    assert waiting(namespace, "a") == {
        "reason": "ContainerCreating",
        "message": 'configmap "settings" not found',
    }

    namespace.kubectl("create", "configmap", "settings", "--from-literal=title=one")
    namespace.ready("a")
    environment = json.loads(namespace.read("a", "/env"))
    file = environment["KUBECONFIG"].replace("kubeconfig", "volumes/settings/title")
    assert namespace.read("a", f"/file?{file}") == "one"

    patch = json.dumps({"data": {"title": "two"}})
    namespace.kubectl("patch", "configmap", "settings", "--patch", patch)
    until(lambda: namespace.read("a", f"/file?{file}") == "two")


def test_a_crashing_container_backs_off_and_keeps_its_last_state_and_log(namespace):
    crash = {"image": "sh", "args": ["echo attempt; exit 3"], "readinessProbe": None}
    namespace.apply(web("a", container=crash))

    until(lambda: waiting(namespace, "a").get("reason") == "CrashLoopBackOff")
    status = status_of(namespace, "a")
    pod = namespace.pod("a")
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert status["lastState"]["terminated"]["reason"] == "Error"
    assert status["state"]["waiting"]["message"].startswith("back-off ")
    assert status["state"]["waiting"]["message"].endswith(
        f"restarting failed container=web pod=a_{namespace.name}({pod['metadata']['uid']})"
    )
    assert pod["status"]["phase"] == "Running"
    until(lambda: status_of(namespace, "a")["restartCount"] >= 2)
    assert namespace.kubectl("logs", "a", "--previous") == "attempt\n"


def test_an_unknown_image_is_not_pulled(namespace):
    namespace.apply(web("a", container={"image": "registry.example/other:1"}))

    until(lambda: waiting(namespace, "a").get("reason") == "ErrImagePull")
    until(lambda: waiting(namespace, "a").get("reason") == "ImagePullBackOff")
    assert namespace.pod("a")["status"]["phase"] == "Pending"


def test_a_program_that_does_not_exist_is_a_start_error(namespace):
    namespace.apply(web("a", restartPolicy="Never", container={"command": ["/no/such"]}))

    namespace.kubectl("wait", "pod/a", "--for=jsonpath={.status.phase}=Failed", "--timeout=60s")
    ended = status_of(namespace, "a")["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)


def test_a_failing_liveness_probe_restarts_and_a_failing_readiness_probe_does_not(namespace):
    alive = {"httpGet": {"port": 8080, "path": "/live"}, "periodSeconds": 1, "failureThreshold": 2}
    namespace.apply(web("a", container={"livenessProbe": alive}))
    namespace.ready("a")

    get(namespace.url("a", "/ready?500"), data=b"")
    namespace.kubectl("wait", "pod/a", "--for=condition=Ready=false", "--timeout=60s")
    assert status_of(namespace, "a")["restartCount"] == 0
    get(namespace.url("a", "/ready?200"), data=b"")
    namespace.ready("a")

    get(namespace.url("a", "/live?500"), data=b"")
    until(lambda: status_of(namespace, "a")["restartCount"] == 1)
    namespace.ready("a")
    assert status_of(namespace, "a")["lastState"]["terminated"]["exitCode"] == 143


def test_no_other_probe_runs_before_the_startup_probe_has_succeeded(namespace):
    started = {"exec": {"command": ["test", "-e", "/data/started"]}, "periodSeconds": 1}
    container = {
        "startupProbe": {**started, "failureThreshold": 100},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    namespace.apply(web("a", container=container, volumes=[{"name": "data", "emptyDir": {}}]))
    until(lambda: status_of(namespace, "a").get("state", {}).get("running"))
    assert not status_of(namespace, "a")["started"]
    assert not status_of(namespace, "a")["ready"]

    until(lambda: namespace.kubectl("logs", "a"))
    home = json.loads(namespace.read("a", "/env"))["KUBECONFIG"].removesuffix("kubeconfig")
    subprocess.run(["touch", f"{home}volumes/data/started"], check=True)
    namespace.ready("a")
    assert status_of(namespace, "a")["started"]


def test_init_containers_run_one_after_the_other_before_the_pod(namespace):
    def step(name, script):
        mount = {"name": "data", "mountPath": "/data"}
        return {"name": name, "image": "sh", "args": [script], "volumeMounts": [mount]}

    pod = web(
        "a",
        restartPolicy="Never",
        volumes=[{"name": "data", "emptyDir": {}}],
        initContainers=[
            step("first", "sleep 0.5; echo one >> /data/steps"),
            step("second", "echo two >> /data/steps"),
        ],
    )
    pod["spec"]["containers"] = [step("last", "cat /data/steps")]
    namespace.apply(pod)

    namespace.kubectl("wait", "pod/a", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    assert namespace.kubectl("logs", "a") == "one\ntwo\n"


def test_a_stubborn_process_is_killed_after_the_grace_period(namespace, sandbox):
    stubborn = web("a", container={"args": ["stubborn"]}, terminationGracePeriodSeconds=1)
    namespace.apply(stubborn)
    namespace.ready("a")
    register = sandbox.cluster.plane.directory.parent / "node" / "processes.json"
    (pid,) = (
        each["pid"]
        for each in json.loads(register.read_text())["processes"]
        if each["name"].startswith(f"a_{namespace.name}")
    )
    assert birth(pid)

    namespace.kubectl("delete", "pod", "a", "--timeout=60s")

    assert birth(pid) is None


def test_the_hook_before_the_end_is_run(namespace, tmp_path):
    command = ["sh", "-c", f"echo $POD > {tmp_path}/ended"]
    namespace.apply(web("a", container={"lifecycle": {"preStop": {"exec": {"command": command}}}}))
    namespace.ready("a")

    namespace.kubectl("delete", "pod", "a", "--timeout=60s")

    assert (tmp_path / "ended").read_text() == "a\n"


def test_a_rolling_update_replaces_pods_only_by_ready_ones(namespace):
    def deploy(*args, path="/ready"):
        template = web("x", container={"args": list(args)})
        probe = {"httpGet": {"port": 8080, "path": path}, "periodSeconds": 1}
        template["spec"]["containers"][0]["readinessProbe"] = probe
        spec = {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": template["spec"]},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        }
        meta = {"name": "web"}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
        namespace.apply(body)

    def running(version):
        return [
            pod["metadata"]["name"]
            for pod in namespace.pods()
            if pod["spec"]["containers"][0].get("args") == [version]
            and any(
                each["type"] == "Ready" and each["status"] == "True"
                for each in pod["status"].get("conditions", [])
            )
        ]

    deploy("one")
    namespace.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    deploy("two")
    namespace.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert len(running("two")) == 2
    until(lambda: len(namespace.pods()) == 2)

    deploy("broken", path="/file?/no/such/file")
    until(lambda: len(namespace.pods()) == 3)
    assert len(running("two")) == 2


def test_logs_follow_a_container_to_its_end(namespace):
    script = "for i in 1 2 3; do echo line $i; sleep 0.3; done"
    pod = web("a", restartPolicy="Never")
    pod["spec"]["containers"] = [{"name": "c", "image": "sh", "args": [script]}]
    namespace.apply(pod)
    until(lambda: namespace.kubectl("logs", "a", check=False))

    namespace.kubectl("wait", "pod/a", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    assert namespace.kubectl("logs", "a", "--tail=2") == "line 2\nline 3\n"

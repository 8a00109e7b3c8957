"""The sandbox ends as it should, however far it was."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from waiting import until

SANDBOX = [sys.executable, "-m", "sandbox"]


def processes_in(directory):
    """Command lines of processes that mention the sandbox's directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(directory) in line:
                found.append(line)
    return found


def refuses(port):
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) != 0


def test_down_leaves_no_process_and_no_port(binaries, tmp_path):
    where = ["--directory", str(tmp_path)]
    up = [*SANDBOX, "up", "--detach", "--no-samples", "--port=0", *where]
    subprocess.run(up, check=True)
    shown = subprocess.run([*SANDBOX, "status", "--json", *where], check=True, capture_output=True)
    arm = int(json.loads(shown.stdout)["arm"].rpartition(":")[2])
    assert processes_in(tmp_path)
    assert not refuses(arm)
    subprocess.run([*SANDBOX, "down", *where], check=True)
    assert processes_in(tmp_path) == []
    assert refuses(arm)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sandbox.log"]


def test_a_sandbox_interrupted_while_it_starts_leaves_no_process(binaries, tmp_path):
    with subprocess.Popen(
        [*SANDBOX, "up", "--no-samples", "--port=0", "--directory", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    ) as starting:
        until((tmp_path / "cluster/control-plane/processes.json").exists, "etcd")
        time.sleep(1)
        starting.send_signal(signal.SIGTERM)
        starting.wait(timeout=30)
    assert processes_in(tmp_path) == []

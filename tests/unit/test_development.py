"""What pages, hooks and workflows tell people and machines to run is there."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
HOOKS = ROOT / ".pre-commit-config.yaml"
CONTAINER = ROOT / ".devcontainer" / "devcontainer.json"
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
    *sorted((ROOT / "operator" / "decisions").glob("*.md")),
]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, re.MULTILINE))
CALL = r"\bmake((?: (?!-)[a-z][a-z0-9-]*\b(?![=.]))+)"
"""`make` with its targets, not its variables."""
TEST = re.compile(r"\btests/[\w/]+\.py(?:::\w+)?")


def of(path):
    return path.relative_to(ROOT).as_posix()


def called(path):
    """The targets that a page has in its code, or that a file for machines has anywhere."""
    text = path.read_text()
    if path.suffix == ".md":
        fences = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
        lines = [
            line
            for fence in fences
            for line in re.findall(r"^\s*\$ (.*?)(?:#.*)?$", fence, re.MULTILINE)
        ]
        text = "\n".join([*lines, *re.findall(r"`(make [^`]*)`", text)])
    return {target for targets in re.findall(CALL, text) for target in targets.split()}


def runs(workflow):
    """What a workflow's steps run."""
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", ())]
    return [step["run"] for step in steps if "run" in step]


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=of)
def test_a_page_names_no_target_that_make_does_not_have(path):
    assert called(path) - TARGETS == set()


def test_the_pages_that_newcomers_read_are_understood():
    assert called(ROOT / "README.md") >= {"demo", "down", "chatbot", "test", "hooks", "unit"}
    assert called(ROOT / ".github" / "CONTRIBUTING.md") >= {"sync", "unit", "walk-quick"}


def test_a_hook_runs_what_is_there_and_fetches_nothing():
    (repository,) = yaml.safe_load(HOOKS.read_text())["repos"]
    assert repository["repo"] == "local"
    programs = {tuple(hook["entry"].split()[:2]) for hook in repository["hooks"]}
    assert {target for program, target in programs if program == "make"} <= TARGETS
    assert {program for program, _ in programs} == {"make", ".venv/bin/ruff"}
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}


def test_the_container_for_development_makes_what_make_has():
    container = json.loads(CONTAINER.read_text())
    program, target = container["postCreateCommand"].split()
    assert program == "make"
    assert target in TARGETS


def test_what_every_change_must_pass_is_one_command():
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "exec make test"
    assert "make test" in runs(yaml.safe_load((WORKFLOWS[0].parent / "test.yaml").read_text()))


@pytest.mark.parametrize("path", WORKFLOWS, ids=of)
def test_a_workflow_runs_targets_that_make_has(path):
    commands = "\n".join(runs(yaml.safe_load(path.read_text())))
    assert {t for targets in re.findall(CALL, commands) for t in targets.split()} - TARGETS == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=of)
def test_a_workflow_may_no_more_than_it_says(path):
    workflow = yaml.safe_load(path.read_text())
    assert set(workflow["permissions"].values()) <= {"read"}, "a job that writes says so itself"
    triggers = workflow[True]  # YAML 1.1 takes `on` for a boolean
    assert not {"pull_request_target", "workflow_run"} & set(triggers)
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=of)
def test_what_others_wrote_of_a_workflow_is_pinned_by_commit(path):
    for line in re.findall(r"uses: *(.*)", path.read_text()):
        assert re.fullmatch(r"\./\S+|[\w./-]+@[0-9a-f]{40} # v[\d.]+", line)


@pytest.mark.parametrize("path", WORKFLOWS, ids=of)
def test_no_stranger_writes_a_command_of_a_workflow(path):
    for command in runs(yaml.safe_load(path.read_text())):
        assert not re.search(r"\$\{\{\s*(github\.event|github\.head_ref|inputs)\b", command)


def test_whatever_make_does_by_a_name_is_no_file_and_explained():
    phony = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
    assert phony == TARGETS
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert set(re.findall(r"^  make ([a-z0-9-]+) +\S", listed, re.MULTILINE)) == TARGETS - {
        "packages"
    }


@pytest.mark.parametrize("path", PAGES, ids=of)
def test_a_test_that_a_page_names_is_there(path):
    for name in TEST.findall(path.read_text()):
        file, _, function = name.partition("::")
        assert (ROOT / file).is_file(), name
        if function:
            nodes = ast.walk(ast.parse((ROOT / file).read_text()))
            assert function in {getattr(node, "name", "") for node in nodes}


def test_how_to_run_one_test_chooses_one():
    page = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
    for file, words in re.findall(r"pytest (tests/\S+\.py) -k (\w+)", page):
        assert re.search(rf"def test_\w*{words}", (ROOT / file).read_text()), words


@pytest.mark.parametrize("path", PAGES, ids=of)
def test_a_link_of_a_page_leads_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), target


def test_every_decision_is_listed():
    folder = ROOT / "operator" / "decisions"
    listed = (folder / "README.md").read_text()
    for page in sorted(folder.glob("0*.md")):
        title = page.read_text().splitlines()[0].removeprefix("# ")
        assert f"{int(page.name[:4])}. [{title}]({page.name})" in listed

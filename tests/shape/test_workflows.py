"""The workflows parse, ask for no rights they do not need, and name versions of what they run.

An action is named by a version, which is a tag that its owner can move: no more is
checked, and no more is said in SECURITY.md. What builds is exact.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED = {"ci.yml", "wheels.yml", "benches.yml", "audit.yml"}
VERSIONED = re.compile(r"[\w.-]+/[\w./-]+@(?:v\d+(?:\.\d+)*|\d+\.\d+(?:\.\d+)?|[0-9a-f]{40})")


@pytest.fixture(scope="module")
def workflows(root: Path) -> dict[str, dict[Any, Any]]:
    folder = root / ".github" / "workflows"
    return {path.name: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yml"))}


def steps_of(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


def test_the_workflows_are_all_there(workflows: dict[str, dict[Any, Any]]) -> None:
    assert workflows.keys() == EXPECTED


def test_a_workflow_may_only_read(workflows: dict[str, dict[Any, Any]]) -> None:
    for name, workflow in workflows.items():
        assert workflow["permissions"] == {"contents": "read"}, name


def test_every_job_ends_by_itself(workflows: dict[str, dict[Any, Any]]) -> None:
    for name, workflow in workflows.items():
        for job_name, job in workflow["jobs"].items():
            assert job["runs-on"], (name, job_name)
            assert job["timeout-minutes"] <= 90, (name, job_name)


def test_every_step_either_runs_or_uses_an_action_of_a_named_version(
    workflows: dict[str, dict[Any, Any]],
) -> None:
    for name, workflow in workflows.items():
        for step in steps_of(workflow):
            assert ("run" in step) != ("uses" in step), (name, step)
            if "uses" in step:
                assert VERSIONED.fullmatch(step["uses"]), (name, step["uses"])


def test_every_make_target_that_a_workflow_calls_exists(
    workflows: dict[str, dict[Any, Any]], root: Path
) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (root / "Makefile").read_text(), re.MULTILINE))
    called = {
        target
        for workflow in workflows.values()
        for step in steps_of(workflow)
        for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))
    }

    assert called
    assert called <= targets


def test_the_supported_versions_are_the_tested_ones(
    workflows: dict[str, dict[Any, Any]], root: Path
) -> None:
    classified = set(
        re.findall(r"Python :: (3\.\d+)", (root / "pyproject.toml").read_text(encoding="utf-8"))
    )
    tested = set(workflows["ci.yml"]["jobs"]["test"]["strategy"]["matrix"]["python"])

    assert tested == classified


def test_a_step_that_pipes_fails_with_the_first_command(
    workflows: dict[str, dict[Any, Any]],
) -> None:
    # Only a shell that is asked for by name gets `-o pipefail`.
    for name, workflow in workflows.items():
        for job in workflow["jobs"].values():
            default = job.get("defaults", {}).get("run", {}).get("shell")
            for step in job["steps"]:
                if re.search(r"[^|]\|[^|]", step.get("run", "")):
                    assert step.get("shell", default) == "bash", (name, step)


def test_a_change_of_anything_that_the_wheel_holds_builds_it(
    workflows: dict[str, dict[Any, Any]], root: Path
) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    held = {project["project"]["readme"], *project["project"]["license-files"]}
    held |= {"Cargo.lock", "Cargo.toml", "pyproject.toml"}
    shipped = re.search(
        r"SHIPPED: \[&str; \d\] = \[(.*?)\];", (root / "rust/py/build.rs").read_text(), re.DOTALL
    )
    assert shipped is not None
    folders = {project["tool"]["maturin"]["python-source"], "rust"}
    folders |= {each.partition("/")[0] for each in re.findall(r'"(.*?)"', shipped[1])}

    # PyYAML reads the key `on` as a truth value.
    watched = workflows["wheels.yml"][True]["pull_request"]["paths"]

    assert held | {f"{folder}/**" for folder in folders} <= set(watched)


def test_the_wheels_test_job_installs_what_its_tests_use(
    workflows: dict[str, dict[Any, Any]], root: Path
) -> None:
    steps = workflows["wheels.yml"]["jobs"]["test"]["steps"]
    [script] = [step["run"] for step in steps if "-m pytest" in step.get("run", "")]
    [install] = re.findall(r"pip install .*", script.replace("\\\n", " "))
    left_out = [root / folder for folder in re.findall(r"--ignore (\S+)", script)]
    # Packages that tests import, and those they start as `python -m`.
    imported = r"^(?:import|from) (borsh_construct|cbor2|hypothesis|pytest|yaml)\b"
    named = re.compile(imported + r'|"-m", "(\w+)"', re.MULTILINE)

    used = {
        {"borsh_construct": "borsh-construct", "yaml": "pyyaml"}.get(name, name)
        for path in (root / "tests").rglob("*.py")
        if not any(path.is_relative_to(folder) for folder in left_out)
        for found in named.findall(path.read_text(encoding="utf-8"))
        for name in found
        # The package itself comes as the wheel.
        if name not in {"", "airssys_wasm"}
    }

    assert {"hypothesis", "mypy", "pytest", "ruff"} <= used
    assert used <= set(install.split())


def test_one_maturin_builds_everywhere(workflows: dict[str, dict[Any, Any]], root: Path) -> None:
    constraints = (root / "requirements" / "constraints.txt").read_text(encoding="utf-8")
    [pin] = re.findall(r"^maturin==(\S+)$", constraints, re.MULTILINE)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    actions = [
        step["with"]
        for workflow in workflows.values()
        for step in steps_of(workflow)
        if step.get("uses", "").startswith("PyO3/maturin-action@")
    ]

    assert actions
    assert {action["maturin-version"] for action in actions} == {f"v{pin}"}
    assert project["build-system"]["requires"] == [f"maturin=={pin}"]


def test_one_rust_builds_everywhere(workflows: dict[str, dict[Any, Any]], root: Path) -> None:
    workspace = tomllib.loads((root / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]
    steps = [step for workflow in workflows.values() for step in steps_of(workflow)]
    named = {
        step["uses"].partition("@")[2]
        for step in steps
        if step.get("uses", "").startswith("dtolnay/rust-toolchain@")
    } | {
        step["with"]["rust-toolchain"] for step in steps if "rust-toolchain" in step.get("with", {})
    }

    assert named == {f"{workspace['package']['rust-version']}.0"}

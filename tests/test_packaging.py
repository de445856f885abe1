from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
LOCK = {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, LINES)}

OURS = {"rag", "ingest", "ui", "eval"}

PLATFORMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"},
    "mac": {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64", "os_name": "posix"},
}


def test_the_installed_version_is_the_projects() -> None:
    assert version("hemeroteca") == PROJECT["version"]


def test_the_licence_is_apache_2() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert re.search(r"Apache License\s+Version 2\.0, January 2004", text)


def test_the_lock_names_exact_versions_from_the_registry_only() -> None:
    exact = re.compile(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*(; [a-z_]+ .+)?")
    assert [line for line in LINES if not exact.fullmatch(line)] == []


def test_the_lock_has_the_plain_torch_and_no_gpu_libraries() -> None:
    assert [line for line in LINES if line.startswith("torch==")] == ["torch==2.13.0"]
    assert [line for line in LINES if re.match(r"nvidia|cuda|triton", line)] == []


def test_the_lock_is_sorted_and_names_nothing_twice() -> None:
    assert sorted(LINES, key=str.upper) == LINES
    assert len(LOCK) == len(LINES)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_holds_all_that_the_project_needs(python: str, platform: str) -> None:
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        **PLATFORMS[platform],
    }
    assert _missing(environment) == []


def _missing(environment: dict[str, str]) -> list[str]:
    asked = [*PROJECT["dependencies"], *(each for extra in PROJECT["optional-dependencies"].values() for each in extra)]
    waiting = [(Requirement(text), "", "the project") for text in asked]
    seen: set[str] = set()
    missing = []
    while waiting:
        wanted, extra, by = waiting.pop()
        if str(wanted) + extra in seen or not _applies(wanted, environment, extra):
            continue
        seen.add(str(wanted) + extra)
        locked = LOCK.get(canonicalize_name(wanted.name))
        if locked is None or not _applies(locked, environment, ""):
            missing.append(f"{wanted.name}, needed by {by}")
        elif not wanted.specifier.contains(str(locked.specifier).removeprefix("=="), prereleases=True):
            missing.append(f"{wanted}, needed by {by}, and the lock has {locked}")
        for needed in _needs(wanted.name):
            waiting += [(needed, chosen, wanted.name) for chosen in ("", *sorted(wanted.extras))]
    return missing


def _applies(requirement: Requirement, environment: dict[str, str], extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})


def _needs(name: str) -> list[Requirement]:
    try:
        return [Requirement(text) for text in distribution(name).requires or []]
    except PackageNotFoundError:
        # Locked for another Python or system than this one.
        return []


def test_every_imported_package_is_a_declared_dependency() -> None:
    wanted = [
        *PROJECT["dependencies"],
        *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
    ]
    declared = {canonicalize_name(Requirement(text).name) for text in wanted}
    distributions = packages_distributions()
    undeclared = {
        f"{module} in {path.relative_to(ROOT)}"
        for folder in OURS
        for path in sorted((ROOT / folder).rglob("*.py"))
        # The benchmark's rival runs in an environment of its own, which the benchmark installs.
        if path != ROOT / "eval" / "recipe.py"
        for module in _imported(path) - sys.stdlib_module_names - OURS
        if not declared & {canonicalize_name(name) for name in distributions.get(module, [module])}
    }
    assert undeclared == set()


def _imported(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module.partition(".")[0])
    return modules


def test_make_chat_and_make_test_are_what_a_fresh_clone_needs() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {"chat", "test", "test-slow", "check", "eval", "clean"} <= set(targets)


@pytest.mark.parametrize(
    ("pythons", "complaint"),
    [
        ({}, "Python 3.11 or newer is needed: install it"),
        ({"python3": "*version_info*) exit 1;; --version) echo Python 3.9.2"}, "and this is Python 3.9.2: install it"),
        ({"python3": "*ensurepip*) exit 1"}, "python3 cannot make a virtual environment: install its venv package"),
        (
            {"python3.12": "*ensurepip*) exit 1", "python3": "*version_info*) exit 1"},
            "python3.12 cannot make a virtual environment",
        ),
    ],
    ids=["none", "old", "without venv", "old and without venv"],
)
def test_make_says_which_python_is_needed(pythons: dict[str, str], complaint: str, tmp_path: Path) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, cases in pythons.items():
        (programs / name).write_text(f'#!/bin/sh\ncase "$*" in {cases};; esac\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    run = subprocess.run(
        [make, "test"], cwd=tmp_path, env={"PATH": str(programs)}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert complaint in run.stderr
    assert not (tmp_path / ".venv").exists()

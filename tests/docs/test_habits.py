"""What a project is expected to have beside its code is there, and agrees with the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections import Counter

import pytest

import ioc
from ioc.settings import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("ioc", "sql", "connectors", "streams", "grafana", "deploy", "bench")
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "GLOSSARY.md", "SECURITY.md", "LICENSE")
OTHER = ("docs", "tests", "Makefile", "pyproject.toml", "requirements.lock")
HIDDEN = (".ci", ".gitignore", ".pre-commit-config.yaml")


def test_the_version_stands_in_one_place() -> None:
    assert "version" in PYPROJECT["project"]["dynamic"]
    assert PYPROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "ioc.__version__"}
    assert f"## {ioc.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_package_says_that_it_is_typed_and_none_is_uploaded() -> None:
    assert [name for name in PACKAGES if not (ROOT / name / "py.typed").is_file()] == []
    assert "Private :: Do Not Upload" in PYPROJECT["project"]["classifiers"]
    assert {f"Programming Language :: Python :: {one}" for one in ("3.11", "3.12")} <= set(
        PYPROJECT["project"]["classifiers"]
    )


def test_hooks_use_the_environment_of_the_checkout_and_fetch_nothing() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: (.+)", text) == ["local"]
    entries = re.findall(r"entry: (.+)", text)
    assert len(entries) == text.count("- id: ") == text.count("language: system") > 3
    assert all(entry.startswith(".venv/bin/") for entry in entries)
    assert "://" not in text


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "SECURITY.md", "README.md"])
def test_targets_of_make_that_a_page_names_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", (ROOT / page).read_text(encoding="utf-8")))
    assert named <= targets


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_files_that_a_page_names_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:ioc|sql|connectors|streams|grafana|deploy|docs|tests)/[\w./-]*)`", text))
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for name in (*PACKAGES, "tests")
        for path in (ROOT / name).rglob("*.py")
    }
    assert lengths
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_no_two_test_modules_have_one_name() -> None:
    """Test directories are no packages: two modules of one name are one to the runner, and one of them is not run."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert names
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="this is no checkout of git")
def test_nothing_else_is_kept_in_the_top_level() -> None:
    """What a command or a test has written into the checkout is no part of the project."""
    tracked = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-tree", "--name-only", "-z", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    assert sorted(filter(None, tracked)) == sorted((*PACKAGES, *PAGES, *OTHER, *HIDDEN))

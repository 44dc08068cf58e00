"""Who may import whom. The house stands as long as this holds."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
OURS = {"cars_bot", "celery_app", "celery_intake", "celery_prefetch", "celery_tasks", "raw_consumer", "api",
        "outside_world", "commands", "labs", "antipatterns", "experiments", "loadtest", "bench", "tests",
        "deploy"}  # fmt: skip
MAY_IMPORT = {
    "cars_bot": set(),
    "celery_app": {"cars_bot"},
    "celery_intake": {"celery_app", "cars_bot"},
    "celery_prefetch": {"cars_bot"},
    "celery_tasks": {"celery_app", "cars_bot"},
    "raw_consumer": {"cars_bot"},
    "api": {"cars_bot"},
    "outside_world": set(),
    "experiments": {"commands"},
    "antipatterns": {"experiments", "commands"},
    "labs": {"experiments", "commands"},
}
ALSO = {"api/publishing/lanes.py": {"celery_tasks", "celery_app", "raw_consumer"},
        "api/publishing/revoking.py": {"celery_app"},
        "api/dead_letters/letter_queue.py": {"raw_consumer"},
        "api/publishing/queues.py": {"raw_consumer"}}  # fmt: skip
FORBIDDEN_LIBRARIES = {
    "cars_bot": {"celery", "kombu", "pika", "fastapi", "starlette"},
    "raw_consumer": {"celery", "kombu", "fastapi"},
    "celery_app": {"pika", "fastapi"},
    "celery_intake": {"pika", "fastapi"},
    "celery_prefetch": {"pika", "fastapi"},
    "celery_tasks": {"pika", "fastapi"},
    "outside_world": {"celery", "kombu", "pika", "openai", "gspread", "telegram"},
}


def sources(name: str) -> list[Path]:
    """The files of a package, or the one of a module."""
    return sorted((ROOT / name).rglob("*.py")) or [ROOT / f"{name}.py"]


def imported(path: Path) -> set[str]:
    """The top-level names a file imports, wherever in it the import stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_nobody_imports_upward(name: str) -> None:
    files = sources(name)
    assert files
    for path in files:
        where = path.relative_to(ROOT).as_posix()
        allowed = MAY_IMPORT[name] | {name} | ALSO.get(where, set())
        assert imported(path) & OURS <= allowed, where


@pytest.mark.parametrize("name", FORBIDDEN_LIBRARIES)
def test_a_lane_does_not_use_the_other_lanes_library(name: str) -> None:
    for path in sources(name):
        assert not imported(path) & FORBIDDEN_LIBRARIES[name], path.relative_to(ROOT)


def test_the_rule_would_notice_an_import_inside_a_function(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text("def late():\n    from celery.app import base\n    import pika.exceptions\n")

    assert imported(sample) == {"celery", "pika"}

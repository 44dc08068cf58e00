"""The words of the glossary: each names one thing, also in the names of functions and classes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CODE = ("cars_bot", "api", "raw_consumer", "celery_parts", "commands")
# A word of the glossary, and the only modules that may define a function or a class with it.
HOMES = {
    "claim": {"cars_bot/idempotency.py"},
    "slot": {"cars_bot/schedule.py", "celery_parts/beat.py", "raw_consumer/shared_slot.py"},
    "outbox": set(),
    "holder": set(),
}
# Words that name nothing any more: each of them meant several things.
RETIRED = {"book", "told", "given", "pulse", "presence", "words", "drawing", "views", "be", "second", "settle"}


def defined(path: Path) -> Iterator[str]:
    """The words in the names of a module, its functions and its classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    for name in names:
        yield from (word.lower() for word in re.split(r"_|(?<=[a-z])(?=[A-Z])", name) if word)


def users(word: str) -> set[str]:
    files = [path for top in CODE for path in sorted((ROOT / top).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix() for path in files if word in defined(path)}


@pytest.mark.parametrize("word", HOMES)
def test_a_word_of_the_glossary_names_one_thing(word: str) -> None:
    assert users(word) <= HOMES[word]
    assert re.search(rf"^\*\*[^*]*\b{word}", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("word", sorted(RETIRED))
def test_a_word_with_several_meanings_is_gone(word: str) -> None:
    names = {path.stem for top in CODE for path in (ROOT / top).rglob("*.py")}
    assert word not in names
    assert {file for file in users(word) if word in {name.lstrip("_") for name in bare_names(ROOT / file)}} == set()


def bare_names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name.lower() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}

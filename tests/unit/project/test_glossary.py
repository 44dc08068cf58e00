"""The words of the glossary: each names one thing, also in the names of functions and classes."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.unit.project.trees import nodes

ROOT = Path(__file__).resolve().parents[3]
CODE = ("cars_bot", "api", "raw_consumer", "celery_parts", "commands")
# A word of the glossary, and the only modules that may define a function or a class with it.
HOMES = {
    "claim": {"cars_bot/idempotency.py"},
    "slot": {"raw_consumer/shared_slot.py"},
    "outbox": set(),
    "holder": set(),
}
# Words that name nothing any more: each of them meant several things.
RETIRED = {"book", "told", "given", "pulse", "presence", "words", "drawing", "views", "be", "second", "settle"}


def modules() -> Iterator[Path]:
    """The modules of the code."""
    for top in CODE:
        yield from sorted((ROOT / top).rglob("*.py"))


@cache
def names(path: Path) -> set[str]:
    """The names of the functions and classes of a module."""
    return {node.name for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def words_in(name: str) -> list[str]:
    return [word.lower() for word in re.split(r"_|(?<=[a-z])(?=[A-Z])", name)]


@pytest.mark.parametrize("word", HOMES)
def test_a_word_of_the_glossary_names_one_thing(word: str) -> None:
    users = {path.relative_to(ROOT).as_posix() for path in modules() for name in names(path) if word in words_in(name)}
    assert users <= HOMES[word]
    assert re.search(rf"^\*\*[^*]*\b{word}", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("word", sorted(RETIRED))
def test_a_word_with_several_meanings_is_gone(word: str) -> None:
    assert word not in {path.stem for path in modules()}
    assert [path for path in modules() for name in names(path) if name.lstrip("_").lower() == word] == []

"""The hand-written consumer is there to be read: how much there is to read, and that a message's way is all of it."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[3] / "raw_consumer"
# How lines are logged; two things mended in the library; how an address is said to it.
BESIDE_THE_WAY = {"logs", "mended_pika", "parameters"}


def uses(module: str) -> set[str]:
    """The modules of the package that a module of it imports."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "raw_consumer":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("raw_consumer."):
            found.add((node.module or "").partition(".")[2])
    return found


def lines(module: str) -> int:
    return len((PACKAGE / f"{module}.py").read_text(encoding="utf-8").splitlines())


def test_a_messages_way_is_under_915_lines() -> None:
    way, ahead = set(), {"consumer"}
    while ahead:
        way |= ahead
        ahead = {used for module in ahead for used in uses(module)} - way - BESIDE_THE_WAY
    assert way >= {"consumer", "intake", "envelope", "settlement", "publisher", "connection", "topology", "limits"}
    assert sum(lines(module) for module in way) < 915


def test_no_module_is_over_200_lines() -> None:
    assert {path.name: lines(path.stem) for path in PACKAGE.glob("*.py") if lines(path.stem) > 200} == {}

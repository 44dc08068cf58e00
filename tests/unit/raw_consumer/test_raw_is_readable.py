"""Readability of the hand-written consumer: the length of its code, and what belongs to a message's way."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[3] / "raw_consumer"


def uses(module: str) -> set[str]:
    """The modules of the package that one of its modules imports."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "raw_consumer":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("raw_consumer."):
            found.add((node.module or "").partition(".")[2])
    return found


def lines(module: str) -> int:
    return len((PACKAGE / f"{module}.py").read_text(encoding="utf-8").splitlines())


def test_a_messages_way_is_under_900_lines() -> None:
    way, ahead = set(), {"consumer"}
    while ahead:
        way |= ahead
        ahead = {used for module in ahead for used in uses(module) if not used.startswith("setup")} - way
    assert way >= {"consumer", "intake", "envelope", "settlement", "publisher", "connection", "topology", "alarm"}
    assert sum(lines(module) for module in way) < 900

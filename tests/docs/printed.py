"""Commands that the texts print: Markdown's code blocks and inline code, docstrings, and messages in the code.

This module only reads. `how.py` says how to try a command, `understood.py` whether it can be right.
"""

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.kit import ROOT

# A command begins with one of these programs. Settings may come before it (LANE=raw ./kit …).
STARTS = re.compile(r"^(?:[A-Z_]+=\S* )*(?:\./kit|kit|make|docker|curl) +\S")
IN_LINE = re.compile(r"`([^`\n]+)`")
IN_MESSAGE = re.compile(r"\./kit [^\n`;,|)]*")
NO_COMMAND = re.compile(r"^(kit|make) (?![a-z-]+( |$))")  # prose such as "make CHANGES"
SKIPPED = {".venv", ".run", "workspace", "reports", "node_modules", ".git"}


@dataclass(frozen=True)
class Printed:
    """A command as a text prints it.

    Attributes:
        `where`: file and line.
        `text`: the command as one types it, without prompt and comment.
    """

    where: str
    text: str


def texts() -> list[Path]:
    """Every Markdown file and module of the project, as git or a fresh copy has them, without the tests."""
    files = [ROOT / "kit"]
    for folder, folders, names in os.walk(ROOT):
        skipped = SKIPPED | {"tests"} if Path(folder) == ROOT else SKIPPED
        folders[:] = [name for name in folders if name not in skipped]
        files += [Path(folder, name) for name in names if name.endswith((".md", ".py"))]
    return sorted(files)


def all_printed() -> list[Printed]:
    """The commands of all texts."""
    found = []
    for file in texts():
        found += in_text(str(file.relative_to(ROOT)), file.read_text(encoding="utf-8"))
    return found


def in_text(name: str, text: str) -> list[Printed]:
    """The commands of one text. The ending of its name says which kind of text it is."""
    return list(dict.fromkeys(in_markdown(name, text) if name.endswith(".md") else in_python(name, text)))


def in_markdown(name: str, text: str) -> Iterator[Printed]:
    """Lines after a prompt, lines indented by four, and inline code."""
    fenced, pending = False, ""
    for number, line in enumerate(text.splitlines(), 1):
        where, stripped = f"{name}:{number}", line.strip()
        if stripped.startswith("```"):
            fenced = not fenced
        elif pending or (fenced and stripped.startswith("$ ")):
            pending += stripped.removeprefix("$ ") if not pending else f" {stripped}"
            if unfinished(pending):
                continue
            yield Printed(where, typed(pending))
            pending = ""
        elif not fenced and line.startswith("    ") and STARTS.match(typed(stripped)):
            yield Printed(where, typed(stripped))
        elif not fenced:
            for code in IN_LINE.findall(line):
                yield from (Printed(where, part) for part in parts(code))


def in_python(name: str, text: str) -> Iterator[Printed]:
    """Lines and inline code of docstrings; `./kit …` in every other string."""
    nodes = list(ast.walk(ast.parse(text)))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {id(node.body[0].value): node.body[0].value
                  for node in nodes
                  if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)}  # fmt: skip
    for node in docstrings.values():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for offset, line in enumerate(node.value.splitlines()):
                where, stripped = f"{name}:{node.lineno + offset}", typed(line.strip())
                if STARTS.match(stripped) and not stripped.startswith(("kit ", "make ")):
                    yield Printed(where, stripped)
                for code in IN_LINE.findall(line):
                    yield from (Printed(where, part) for part in parts(code))
    within = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in docstrings and id(node) not in within:
            for line in said(node).splitlines():
                for found in IN_MESSAGE.findall(line):
                    yield Printed(f"{name}:{node.lineno}", typed(re.split(r" or | shows| says| names| lists| waits|: ",
                                                                          found)[0].rstrip(". ")))  # fmt: skip


def said(node: ast.AST) -> str:
    """The text of a string. In a formatted string, a placeholder stands for each value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(said(part) if isinstance(part, ast.Constant) else "VALUE" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def parts(code: str) -> list[str]:
    """The commands in a piece of inline code. `&&` and `|` separate them."""
    return [part for part in re.split(r" && | \| ", code.strip())
            if STARTS.match(part) and not NO_COMMAND.match(part)]  # fmt: skip


def typed(line: str) -> str:
    """A printed line without its comment. A comment follows a `#` or a gap of three spaces."""
    return re.split(r" +# | {3,}", line, maxsplit=1)[0].strip()


def unfinished(text: str) -> bool:
    """Return whether the shell would ask for another line."""
    return text.count('"') % 2 == 1 or text.count("'") % 2 == 1 or (text.startswith("for ") and "done" not in text)

"""Readability: the rules that docstrings, comments and documents of the project keep, for `kit lint`.

The readers learn English as a second language. So a sentence is short, its subject comes first, and its subject is a
noun. The rules are simple patterns. They find the usual cases and not each case.
"""

import ast
import re
import subprocess
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commands.common.state import ROOT

SECTIONS = ("Args:", "Attributes:", "Raises:", "Returns:")
NOT_OURS = ("tests/labs/wrong/", "api/pages/static/vendor/")  # wrong on purpose; other people's

LONGEST = 30  # words in a sentence
WIDTH = 120  # characters in a line of Markdown prose

OPENING = re.compile(r"(What|Who|How|Whether|Which|Where|When|Why|If|That)\b")
FREE_RELATIVE = re.compile(r"(What|Who|Whom|Whose|Whoever|Whatever|Whichever)\b(?!.*\?\W*$)")
STRANDED = re.compile(
    r"\b(?:is|are|was|were|be|been|being)(?: not| never| only| also| still)? "
    r"(?:\w+ed|told|known|thought|heard|read|held|kept|made|done|given|taken|sent|spoken|written|found|left|put|paid) "
    r"(?:of|for|from|to|with|by|at|about|on|in|into|upon|over)"
    r"(?=[.,;:)]| after\b| before\b| when\b| until\b| and\b| or\b|$)"
)
INVERTED = re.compile(
    r"(?:So|Nor|Neither|Never|Rarely|Seldom|Only (?:then|now|here|there|so|after|when)\b.*?|Thus|Hence|Not only) "
    r"(?:is|are|was|were|does|do|did|has|have|had|can|could|may|might|must|shall|should|will|would)\b"
)


@dataclass(frozen=True)
class Finding:
    """One sentence that breaks a rule."""

    path: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.text[:160]}"


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text without Markdown's marks. A code span counts as one word."""
    text = re.sub(r"`[^`]*`", "`code`", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[*_]{1,2}(?=\S)|(?<=\S)[*_]{1,2}", "", text)
    for part in re.split(r"(?<=[.!?…])[\"')]*\s+(?=[\"'(`]?[A-Z0-9`А-Я])", " ".join(text.split())):
        if part:
            yield part


def broken_rules(sentence: str) -> Iterator[str]:
    """The rules that a sentence breaks, by name."""
    words = len(re.findall(r"[\w`][\w`'’./,-]*", sentence))
    if words > LONGEST:
        yield f"{words} words, at most {LONGEST}"
    if FREE_RELATIVE.match(sentence):
        yield "a noun is the subject, not What or Who"
    if STRANDED.search(sentence):
        yield "passive that ends in a preposition"
    if INVERTED.match(sentence):
        yield "the verb comes before the subject"


def in_text(path: str, line: int, text: str) -> Iterator[Finding]:
    """The findings in one paragraph."""
    for sentence in sentences(text):
        for rule in broken_rules(sentence):
            yield Finding(path, line, rule, sentence)


def paragraphs(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The paragraphs of a docstring or a document, with the line of each: no code blocks, each cell by itself."""
    block: list[str] = []
    began, fenced = 0, False
    for number, line in enumerate([*lines, ""], 1):
        bare = line.strip().removeprefix("> ")
        if bare.startswith(("```", "~~~")):
            fenced = not fenced
        item = re.match(r"(?:[-*+]|\d+\.)\s+|\w+(?:, \w+)*: (?=\w)", bare)  # an entry of a list, or of `Args:`
        table = bare.startswith("|") or re.search(r"\S {3,}\S", bare)
        indented = line.startswith("    ") and not block
        if block and (not bare or fenced or item or table or bare.startswith(("#", "<"))):
            yield began, " ".join(block)
            block = []
        if fenced or not bare or indented or bare.startswith(("```", "~~~", "#", "<", *SECTIONS)):
            continue
        if table:
            for cell in re.split(r"\|| {3,}", bare.strip("|")):
                yield number, cell.strip()
            continue
        if not block:
            began = number
        block.append(bare[item.end() :] if item else bare)


def in_python(path: str, source: str) -> Iterator[Finding]:
    """The findings in the docstrings and the comments of a module."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if (said := ast.get_docstring(node)) is None:
            continue
        line = node.body[0].lineno
        if OPENING.match(said) and not said.split("\n\n")[0].endswith("?"):
            yield Finding(path, line, "a docstring opens with a noun or a verb", said.split("\n")[0])
        for at, text in paragraphs(said.splitlines()):
            yield from in_text(path, line + at - 1, text)
    comments: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(iter(source.splitlines(keepends=True)).__next__):
        if token.type == tokenize.COMMENT:
            text = token.string.lstrip("#! ")
            alone = token.line.lstrip().startswith("#")
            if alone and comments and comments[-1][0] == token.start[0] - 1:
                comments[-1] = (token.start[0], f"{comments[-1][1]} {text}")
            elif not text.startswith(("noqa", "type:", "fmt:", "feature:", "pragma")):
                comments.append((token.start[0], text))
    for line, text in comments:
        yield from in_text(path, line, text)


def in_markdown(path: str, source: str) -> Iterator[Finding]:
    """The findings in a document."""
    lines = source.splitlines()
    for at, text in paragraphs(lines):
        yield from in_text(path, at, text)
    fenced = False
    for number, line in enumerate(lines, 1):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        prose = not fenced and not line.lstrip().startswith(("|", "#", "<", "[", "!")) and " " in line[:WIDTH].strip()
        if prose and len(line) > WIDTH:
            yield Finding(path, number, f"{len(line)} characters, at most {WIDTH}", line)


def findings(root: Path = ROOT) -> list[Finding]:
    """All findings in the files that git knows."""
    listed = subprocess.run(["git", "ls-files", "*.py", "*.md"], cwd=root, capture_output=True, text=True, check=True)
    found: list[Finding] = []
    for path in listed.stdout.splitlines():
        if not (root / path).is_file() or path.startswith(NOT_OURS):
            continue
        source = (root / path).read_text(encoding="utf-8")
        found += in_python(path, source) if path.endswith(".py") else in_markdown(path, source)
    return found


def main() -> int:
    """Print the findings and their number by rule; 1 if there are any."""
    found = findings()
    for finding in found:
        print(finding)
    by_rule = Counter(re.sub(r"^\d+ (\w+), at most", r"\1, at most", finding.rule) for finding in found)
    print("Prose:", ", ".join(f"{rule}: {count}" for rule, count in sorted(by_rule.items())) or "no findings")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())

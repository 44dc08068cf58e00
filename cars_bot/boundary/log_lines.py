"""Texts in a log: foreign texts are escaped, so that only the kit begins a line of the log.

A text may come from a job, a message or a stranger. With a line break in it, the rest would look like a line of ours.
An escape sequence in it would change the terminal's colours or move its cursor.
"""

import re

# Control characters except the tab, other line breaks, marks that change the direction of writing, lone surrogates.
_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str) -> str:
    """Return the text on one line. Line breaks and control characters are written as in Python's literals."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def indented(text: str) -> str:
    """Return the lines of a traceback, indented: a line of the log begins at the margin, these do not."""
    return "\n".join("    " + escaped(line) for line in text.split("\n"))

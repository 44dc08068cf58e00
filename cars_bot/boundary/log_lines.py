"""Texts in a log: whatever a job, a message or a stranger says, a line of the log is written by the kit alone.

A line break in a text would begin a line that looks like one of ours; an escape sequence would paint the terminal.
"""

import re

# Control characters but the tab, other line breaks, characters that turn the direction of writing, half characters.
_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str) -> str:
    """The text on one line: what could end it, or disturb a terminal, is written as in Python's literals."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def indented(text: str) -> str:
    """Lines that belong to the one before them, a traceback: none of them begins where a line of the log does."""
    return "\n".join("    " + escaped(line) for line in text.split("\n"))

"""Timeline: an SVG picture of a trial's events, by process and time. It needs no library."""

from collections.abc import Sequence
from html import escape
from typing import Any

from experiments.evidence import Note

COLUMN, ROW, LEFT, TOP = 200, 22, 62, 52
CHECK, BROKER = "the check", "the broker"
STARTED = {"started a worker": "worker", "started a scheduler": "scheduler"}
OF_THE_BROKER = {"delivered": "hands out", "published": "is given"}
BAD = {"SIGKILL", "SIGTERM", "SIGSTOP", "ordered a fault", "failed"}
MOST = 120  # events; a longer history shows its first and its last ones
LONGEST = 34  # characters that fit into a column


def picture(title: str, history: Sequence[Note], check: int) -> str:
    """Return the SVG. The check, the broker and each process have a column, and time runs downwards.

    Args:
        check: the process id of the check, which also records the broker's reports.
    """
    shown = [*history] if len(history) <= MOST else [*history[: MOST // 2], *history[-MOST // 2 :]]
    places = [place_of(note, check) for note in shown]
    columns = [name for name in (CHECK, BROKER) if name in places]
    columns += [name for name in dict.fromkeys(places) if name not in columns]
    at = {name: LEFT + COLUMN * place + 10 for place, name in enumerate(columns)}
    width, height = LEFT + COLUMN * len(columns), TOP + ROW * (len(shown) + 1)
    messages, roles = messages_of(history), roles_of(history)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif"',
        ' font-size="11">',
        f'<rect width="100%" height="100%" fill="white"/><text x="8" y="18" font-weight="bold">{escape(title)}</text>',
    ]
    for name, x in at.items():
        lines.append(f'<text x="{x}" y="40" fill="#555">{escape(roles.get(name, name))}</text>')
        lines.append(f'<line x1="{x}" y1="{TOP - 4}" x2="{x}" y2="{height - 6}" stroke="#ccc"/>')
    for row, (note, place) in enumerate(zip(shown, places, strict=True)):
        x, y = at[place], TOP + ROW * (row + 0.7)
        fill = "#c0392b" if note.what in BAD else "#2c6fbb"
        lines.append(f'<text x="8" y="{y:.0f}" fill="#777">{note.at - shown[0].at:.2f} s</text>')
        lines.append(f'<circle cx="{x}" cy="{y - 4:.0f}" r="4" fill="{fill}"/>')
        lines.append(f'<text x="{x + 8}" y="{y:.0f}">{escape(in_words(note, place, messages))}</text>')
    return "\n".join([*lines, "</svg>\n"])


def place_of(note: Note, check: int) -> str:
    """Return the name of an event's column."""
    if note.pid != check:
        return f"process {note.pid}"
    return BROKER if note.what in OF_THE_BROKER else CHECK


def roles_of(history: Sequence[Note]) -> dict[str, str]:
    """Return the role in which the check started each process, by the name of its column."""
    roles: dict[str, str] = {}
    for note in history:
        if role := STARTED.get(note.what):
            number = 1 + sum(name.startswith(role) for name in roles.values())
            roles[f"process {note.facts[role]}"] = f"{role} {number} (process {note.facts[role]})"
    return roles


def messages_of(history: Sequence[Note]) -> dict[str, str]:
    """Return readable names of the messages that the check sent, by message id."""
    return {note.facts["id"]: called(note) for note in history if note.what == "sent" and note.facts.get("id")}


def called(note: Note) -> str:
    """Return a readable name of a message: its text or its job."""
    arguments: dict[str, Any] = note.facts.get("arguments") or {}
    named = ", ".join(map(str, arguments.values()))
    return named or str(note.facts.get("text") or note.facts.get("job") or note.facts.get("command") or "a message")


def in_words(note: Note, place: str, messages: dict[str, str]) -> str:
    """Describe an event in a few words."""
    if place == BROKER:
        text = f"{OF_THE_BROKER[note.what]} {messages.get(str(note.facts.get('id')), 'a message')}"
        text += ", again" if note.facts.get("again") else ""
    elif note.what == "sent":
        text = f"sends {called(note)}"
    else:
        facts = [str(value) for name, value in note.facts.items() if name != "id" and value not in ([], {}, None)]
        text = " ".join([note.what, *facts])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"

"""Record of a comparison: a folder that holds all that is known about it. Everything that is shown is computed from it.

comparison.json    the request, the moments of start and end, the faults that were caused
environment.json   versions, brokers, processor, workers
runs.jsonl         a line for each run: its row, the submission it belongs to, and where its time went
attempts.jsonl     a line for each attempt: worker, begin, end, outcome
events.jsonl       a line for each event of the ledger
effects.jsonl      a line for each effect: its run and its idempotency key
messages.jsonl     a line for each message that the broker got, of a comparison with at most 200 jobs on each lane
runs.csv, attempts.csv, events.csv     the same for a spreadsheet
result.json        the card: the figures of each lane, and the verdict
picture.json       a bar for each attempt, for drawing
manifest.json      the version of this format, and the SHA-256 of each file
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cars_bot.comparisons.attempts import Attempt, Event
from cars_bot.comparisons.messages import Message
from cars_bot.errors import InvalidArguments
from cars_bot.settings import ROOT, settings

SCHEMA = 2
RUN_COLUMNS = (
    "id", "submission", "lane", "job", "state", "priority", "attempt", "redelivered", "worker", "error", "accepted_at",
    "published_at", "started_at", "finished_at", "waiting", "working", "pausing", "total",
)  # fmt: skip
_LISTS = {"runs": dict, "attempts": Attempt, "events": Event, "effects": dict, "messages": Message}
FILES = (
    "manifest.json", "comparison.json", "environment.json", "result.json", "picture.json", "runs.jsonl",
    "attempts.jsonl", "events.jsonl", "effects.jsonl", "messages.jsonl", "runs.csv", "attempts.csv", "events.csv",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins so


@dataclass(frozen=True)
class Record:
    """A comparison in memory. Times are in seconds since 1970, lengths in seconds."""

    comparison: dict[str, Any]
    environment: dict[str, Any]
    runs: list[dict[str, Any]]
    attempts: list[Attempt]
    events: list[Event]
    effects: list[dict[str, Any]]
    messages: list[Message]


def folder_of(comparison: str) -> Path:
    """Return the folder of a comparison's record. Each kit has its own: the project's kit writes to reports/."""
    run_dir = settings().run_dir
    top = ROOT if run_dir == ROOT / ".run" else run_dir
    return top / "reports" / "comparisons" / comparison


def write(folder: Path, record: Record, result: Mapping[str, Any], picture: Mapping[str, Any]) -> None:
    """Write a record, its figures and its picture. A reader never sees half of it: the folder gets its name at the end.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    texts = {
        "comparison.json": _pretty(record.comparison),
        "environment.json": _pretty(record.environment),
        "result.json": _pretty(result),
        "picture.json": _line(picture),
        "runs.csv": _csv(RUN_COLUMNS, record.runs),
        "attempts.csv": _csv([field.name for field in fields(Attempt)], map(asdict, record.attempts)),
        "events.csv": _csv([field.name for field in fields(Event)], map(asdict, record.events)),
    }
    for name, kind in _LISTS.items():
        lines = getattr(record, name)
        texts[f"{name}.jsonl"] = "".join(_line(each if kind is dict else asdict(each)) for each in lines)
    contents = {name: text.encode(errors="replace") for name, text in texts.items()}
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    contents["manifest.json"] = _pretty({"schema": SCHEMA, "files": files}).encode()
    unfinished = folder.with_name(f".{folder.name}")
    unfinished.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (unfinished / name).write_bytes(content)
    if not folder.exists():
        unfinished.rename(folder)


def read(folder: Path) -> Record:
    """Read a record, and check each file against the manifest.

    Raises:
        InvalidArguments: there is no record, it was changed, or a later version of the kit wrote it.
    """
    manifest = _manifest(folder)
    if {*manifest["files"], "manifest.json"} != set(FILES):
        raise InvalidArguments(f"{folder}: the manifest names other files than a record has")
    for name in manifest["files"]:
        _checked(folder, name, manifest)
    lists: dict[str, Any] = {}
    for name, kind in _LISTS.items():
        lines = [json.loads(line) for line in _bytes(folder, f"{name}.jsonl").splitlines()]
        try:
            lists[name] = lines if kind is dict else [kind(**line) for line in lines]
        except TypeError as error:
            raise InvalidArguments(f"{folder / name}.jsonl: {error}") from error
    return Record(_json(folder, "comparison.json"), _json(folder, "environment.json"), **lists)


def result(folder: Path) -> dict[str, Any]:
    """Return the card of a recorded comparison.

    Raises:
        InvalidArguments: there is no record.
    """
    return _json(folder, "result.json")


def picture(folder: Path) -> bytes:
    """Return the picture of a recorded comparison, as JSON. No other file is read, because a page waits.

    Raises:
        InvalidArguments: there is no record, the picture was changed, or another version of the kit wrote it.
    """
    return _checked(folder, "picture.json", _manifest(folder))


def environment(folder: Path) -> dict[str, Any]:
    """Return the environment of a recorded comparison.

    Raises:
        InvalidArguments: there is no record.
    """
    return _json(folder, "environment.json")


def _manifest(folder: Path) -> dict[str, Any]:
    manifest = _json(folder, "manifest.json")
    if manifest.get("schema") != SCHEMA:
        raise InvalidArguments(f"{folder}: schema {manifest.get('schema')}; this version reads schema {SCHEMA}")
    return manifest


def _checked(folder: Path, name: str, manifest: dict[str, Any]) -> bytes:
    content = _bytes(folder, name)
    if hashlib.sha256(content).hexdigest() != manifest["files"].get(name):
        raise InvalidArguments(f"{folder / name} was changed after it was written")
    return content


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(folder, name))
    except ValueError as error:
        raise InvalidArguments(f"{folder / name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise InvalidArguments(f"{folder / name} is no JSON object")
    return found


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise InvalidArguments(f"{folder / name}: {error.strerror}") from error


def _pretty(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

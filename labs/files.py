"""Files of a student's workspace: read and written so that whatever is the matter is said in one sentence.

Nothing that is there is overwritten but by `replace`, and by that only whole.
"""

import os
import stat
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

from commands.common.console import Problem

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 1_000_000  # bytes of a file that is read; a program has some thousands
KINDS = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))


def shown(path: Path) -> str:
    """A path as the student would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def is_there(path: Path) -> bool:
    """Whether there is anything of that name, and be it a link that leads nowhere.

    Raises:
        Problem: the folder cannot be looked into.
    """
    with in_words(path):
        try:
            path.lstat()
        except FileNotFoundError:
            return False
    return True


def read(path: Path) -> bytes:
    """All of an ordinary file.

    Raises:
        Problem: it is a folder, a pipe, a device, a link that leads nowhere, too large, or not ours to read.
    """
    with in_words(path):
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # to open a pipe would wait for somebody who writes
            kind = next((name for is_it, name in KINDS if is_it(found.st_mode)), "a device")
            raise Problem(f"{shown(path)} is {kind}, not a file", f"mv {shown(path)} {shown(path)}.away")
        if found.st_size > LARGEST:
            raise Problem(
                f"{shown(path)} has {found.st_size:,} bytes, more than {LARGEST:,}",
                f"mv {shown(path)} {shown(path)}.away",
            )
        return path.read_bytes()


def source_of(path: Path) -> str:
    """A Python file as text, decoded as Python decodes it: in UTF-8, unless its first lines name another coding.

    Raises:
        Problem: see `read`; or it is no text in that coding.
    """
    data, coding = read(path), "utf-8"
    with suppress(SyntaxError):  # it names a coding that there is not, or is none of the one that it has
        coding = tokenize.detect_encoding(BytesIO(data).readline)[0]
    try:
        return data.decode(coding)
    except UnicodeDecodeError as error:
        what = f"{shown(path)} is no text in {coding.upper()} (byte {error.start + 1})"
        raise Problem(what, "save it as UTF-8 in your editor") from error


def write_new(path: Path, data: bytes) -> None:
    """Make a file that was not there. If it cannot be written whole, it is not there afterwards either.

    Raises:
        Problem: there is something of that name, no room, or no permission.
    """
    make_folder(path.parent)
    with in_words(path):
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            raise
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise


def replace(path: Path, data: bytes) -> None:
    """Write a file anew, whole or not at all; nobody ever sees half of it.

    Raises:
        Problem: it cannot be done; then what was there is as it was.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with in_words(fresh):
        fresh.unlink(missing_ok=True)  # of somebody who was killed and had our number
    write_new(fresh, data)
    with in_words(path):
        try:
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where there is none yet.

    Raises:
        Problem: something else is there, or we must not.
    """
    with in_words(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise Problem(f"{shown(path)} cannot be a folder: a file is in its place",
                          "move that file, or set LABS_WORKSPACE to another folder") from error  # fmt: skip


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """An error of the operating system becomes one sentence about `path`, or about the file that the error names.

    Raises:
        Problem: it cannot be done; the message says why.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:  # pathlib calls a circle of links a RuntimeError
        named = getattr(error, "filename", None)
        place = Path(named) if isinstance(named, str) else path
        why = getattr(error, "strerror", None) or str(error)
        raise Problem(
            f"{shown(place)} cannot be used: {why}",
            f"ls -ld {shown(place)}; df {shown(nearest_folder(place))}   or set LABS_WORKSPACE to another folder",
        ) from error


def nearest_folder(path: Path) -> Path:
    """The folder itself or the nearest above it that is there."""
    return next(each for each in (path, *path.absolute().parents) if os.path.isdir(each))  # noqa: PTH112 - never raises

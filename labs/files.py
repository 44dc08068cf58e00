"""Files of a student's workspace: read and write them, and report each problem in one sentence.

Only `replace` overwrites a file, and it always replaces the whole file.
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
LARGEST = 1_000_000  # bytes in a file; a program has some thousands
KINDS = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))


def shown(path: Path) -> str:
    """Return a path as the student would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def is_there(path: Path) -> bool:
    """Return whether anything has that name, even a broken link.

    Raises:
        Problem: the folder cannot be read.
    """
    with in_words(path):
        try:
            path.lstat()
        except FileNotFoundError:
            return False
    return True


def read(path: Path) -> bytes:
    """Return all bytes of an ordinary file.

    Raises:
        Problem: it is a folder, a pipe, a device or a broken link, it is too large, or we have no permission.
    """
    with in_words(path):
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # opening a pipe would wait for a writer
            kind = next((name for is_it, name in KINDS if is_it(found.st_mode)), "a device")
            raise Problem(f"{shown(path)} is {kind}, but must be a file", f"mv {shown(path)} {shown(path)}.away")
        if found.st_size > LARGEST:
            raise Problem(
                f"{shown(path)} has {found.st_size:,} bytes, more than {LARGEST:,}",
                f"mv {shown(path)} {shown(path)}.away",
            )
        return path.read_bytes()


def source_of(path: Path) -> str:
    """Return a Python file's text, decoded as Python does it: as UTF-8, or in the coding that its first lines name.

    Raises:
        Problem: see `read`; or the file is no text in that coding.
    """
    data, coding = read(path), "utf-8"
    with suppress(SyntaxError):  # the named coding does not exist, or contradicts the file's first bytes
        coding = tokenize.detect_encoding(BytesIO(data).readline)[0]
    try:
        return data.decode(coding)
    except UnicodeDecodeError as error:
        what = f"{shown(path)} is no text in {coding.upper()} (byte {error.start + 1})"
        raise Problem(what, "save it as UTF-8 in your editor") from error


def write_new(path: Path, data: bytes) -> None:
    """Create a new file. If the whole of it cannot be written, remove it again.

    Raises:
        Problem: the name is taken, the disk is full, or we have no permission.
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
    """Replace a file by new content in one step. A reader never sees half of it.

    Raises:
        Problem: the file cannot be replaced; the old content is unchanged.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with in_words(fresh):
        fresh.unlink(missing_ok=True)  # left by a killed process that had our process id
    write_new(fresh, data)
    with in_words(path):
        try:
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Create a folder and its parents, if they do not exist yet.

    Raises:
        Problem: a file has that name, or we have no permission.
    """
    with in_words(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise Problem(f"{shown(path)} cannot be a folder: a file is in its place",
                          "move that file, or set LABS_WORKSPACE to another folder") from error  # fmt: skip


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into one sentence about `path`, or about the file that the error names.

    Raises:
        Problem: the operating system reported an error; the message gives its reason.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:  # pathlib raises RuntimeError for a circle of links
        named = getattr(error, "filename", None)
        place = Path(named) if isinstance(named, str) else path
        why = getattr(error, "strerror", None) or str(error)
        raise Problem(
            f"{shown(place)} cannot be used: {why}",
            f"ls -ld {shown(place)}; df {shown(nearest_folder(place))}   or set LABS_WORKSPACE to another folder",
        ) from error


def nearest_folder(path: Path) -> Path:
    """Return the path itself if it is a folder, or its nearest existing parent folder."""
    return next(each for each in (path, *path.absolute().parents) if os.path.isdir(each))  # noqa: PTH112 - never raises

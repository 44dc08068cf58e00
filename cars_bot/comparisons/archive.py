"""Archive of a comparison: its record as one ZIP file, for another machine or for a thesis."""

import io
import json
import re
import shutil
import zipfile
from pathlib import Path

from cars_bot.comparisons import picture, record, result, rows
from cars_bot.errors import InvalidArguments

LARGEST = 500_000_000  # bytes of all files of an archive, unpacked
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def pack(comparison: str) -> bytes:
    """Return the record of an ended comparison as a ZIP file.

    Raises:
        InvalidArguments: there is no record, or it was changed.
    """
    folder = record.folder_of(comparison)
    record.read(folder)  # this checks each file
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in record.FILES:
            archive.write(folder / name, f"{comparison}/{name}")
    return packed.getvalue()


def unpack(content: bytes) -> str:
    """Take over the record in a ZIP file, and return the comparison's id. A record that is here already stays.

    Raises:
        InvalidArguments: the file is no record of a comparison, or it was changed.
        StorageUnavailable: the record is on disk, but no page lists it; import it again.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            comparison, files = _files(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # damaged, or encrypted
        raise InvalidArguments(f"this is no archive of a comparison: {error}") from error
    folder = record.folder_of(comparison)
    if not folder.exists():
        arriving = folder.with_name(f".{comparison}")
        shutil.rmtree(arriving, ignore_errors=True)
        arriving.mkdir(parents=True)
        for name, text in files.items():
            (arriving / name).write_bytes(text)
        try:
            _check(arriving, comparison)
        except InvalidArguments:
            shutil.rmtree(arriving)
            raise
        arriving.rename(folder)
    rows.take_over(record.read(folder).comparison)
    return comparison


def delete(comparison: str) -> None:
    """Delete an ended comparison and its record. Its runs stay in the list of runs.

    Raises:
        InvalidArguments: there is no such comparison, or it has not ended.
        StorageUnavailable: nothing was deleted.
    """
    if not ID.fullmatch(comparison):
        raise InvalidArguments("there is no such comparison")
    rows.delete(comparison)
    shutil.rmtree(record.folder_of(comparison), ignore_errors=True)


def _check(folder: Path, comparison: str) -> None:
    """Check that the figures and the picture of a record follow from its runs.

    Raises:
        InvalidArguments: they do not.
    """
    found = record.read(folder)
    try:
        figures = json.loads(json.dumps(result.compute(found)))
        drawn = picture.picture(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidArguments(f"the archive is damaged: {type(error).__name__}: {error}") from error
    if figures != record.result(folder) or figures["id"] != comparison:
        raise InvalidArguments("the figures in the archive do not follow from its runs; it was changed")
    if json.loads(json.dumps(drawn)) != json.loads(record.picture(folder)):
        raise InvalidArguments("the picture in the archive does not follow from its runs; it was changed")


def _files(archive: zipfile.ZipFile) -> tuple[str, dict[str, bytes]]:
    """Return the id and the files. No name in the archive is used as a path."""
    names = archive.namelist()
    comparison = names[0].partition("/")[0] if names else ""
    if not ID.fullmatch(comparison) or set(names) != {f"{comparison}/{name}" for name in record.FILES}:
        raise InvalidArguments("this is no archive of a comparison; make one with ./kit comparisons export ID FILE")
    if sum(each.file_size for each in archive.infolist()) > LARGEST:
        raise InvalidArguments(f"the archive is over {LARGEST:,} bytes unpacked")
    return comparison, {name: archive.read(f"{comparison}/{name}") for name in record.FILES}


def read_file(path: Path) -> bytes:
    """Return the bytes of an archive on disk.

    Raises:
        InvalidArguments: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidArguments(f"{path}: {error.strerror}") from error

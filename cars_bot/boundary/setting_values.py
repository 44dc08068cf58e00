"""Values of settings: functions that read them from a file and check them. An error names the setting."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from ssl import SSLError, create_default_context

from dotenv import dotenv_values

from cars_bot.errors import NotConfigured


def whole_number(name: str, text: str, why: str) -> int:
    """Return a whole number above 0. `why` says in the error what the number means.

    Raises:
        NotConfigured: the text is not such a number.
    """
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:12]) < 10**9:
        raise NotConfigured(f"{name} must be a whole number above 0: {why}")
    return int(text)


def read_file(path: str | Path, must_be_there: bool = False, interpolate: bool = True) -> dict[str, str | None]:
    """Return the settings of a file with NAME=value lines.

    Args:
        interpolate: if true, `${NAME}` in a value stands for the value of NAME.

    Raises:
        NotConfigured: the file is unreadable. The message names it.
    """
    if must_be_there and (not Path(path).exists() or Path(path).is_dir()):
        raise NotConfigured(f"KIT_ENV_FILE={path} is not a file; give the file's whole path, or unset it to use .env")
    try:
        return dict(dotenv_values(path, interpolate=interpolate, encoding="utf-8"))
    except UnicodeDecodeError as error:
        text = Path(path).read_bytes()
        line = text[: error.start].count(b"\n") + 1 if error.object == text else "?"
        raise NotConfigured(f"{path} is not UTF-8 (line {line}); save it as UTF-8") from None
    except OSError as error:
        raise NotConfigured(f"{path} holds settings and cannot be read: {error.strerror}") from None


def refuse_invisible(values: Mapping[str, str | None], names: Iterable[str]) -> None:
    """Refuse values that a file cannot hold: `kit up` hands the settings on in a file.

    Raises:
        NotConfigured: one of the values of `names` would be changed in the file.
    """
    for name in names:
        if (value := values.get(name)) and (not value.isprintable() or value.endswith("\\")):
            raise NotConfigured(
                f"{name} has a line break or another invisible character in it, or ends with a \\; remove it"
            )


def modules(names: str) -> tuple[str, ...]:
    """Return the modules that add jobs, without importing them.

    Raises:
        NotConfigured: Python does not find one of them.
    """
    listed = tuple(filter(None, names.replace(" ", "").split(",")))
    for module in listed:
        try:
            found = find_spec(module)
        except (ImportError, ValueError, AttributeError):
            found = None
        if found is None:
            raise NotConfigured(
                f"EXTRA_JOBS={names} names {module!r}, and Python finds no such module; correct the name or install it"
            )
    return listed


def authority(path: str) -> str | None:
    """Return the file of the certificate authority to trust; None for the ones that the machine trusts.

    Raises:
        NotConfigured: the file holds no readable certificate.
    """
    if not path:
        return None
    if not Path(path).is_absolute():
        raise NotConfigured(
            f"TLS_CA_FILE={path} is relative: each process would look in another folder; give its whole path"
        )
    try:
        create_default_context(cafile=path)
    except SSLError:
        raise NotConfigured(f"TLS_CA_FILE={path} holds no certificate; give a file in PEM format") from None
    except OSError as error:
        raise NotConfigured(f"TLS_CA_FILE={path} cannot be read: {error.strerror}") from None
    return path

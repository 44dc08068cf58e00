"""Single values of settings: read from a file, checked, refused by the name of their setting."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from ssl import SSLError, create_default_context

from dotenv import dotenv_values

from cars_bot.errors import NotConfigured


def whole_number(name: str, text: str, why: str) -> int:
    """A number above 0; `why` says what it is.

    Raises:
        NotConfigured: it is none.
    """
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:12]) < 10**9:
        raise NotConfigured(f"{name} must be a whole number above 0: {why}")
    return int(text)


def read_file(path: str | Path, must_be_there: bool = False, interpolate: bool = True) -> dict[str, str | None]:
    """The settings that a file gives, as NAME=value lines.

    Args:
        interpolate: whether `${NAME}` in a value stands for another one.

    Raises:
        NotConfigured: it cannot be read; the message names it.
    """
    if must_be_there and (not Path(path).exists() or Path(path).is_dir()):
        raise NotConfigured(f"KIT_ENV_FILE={path} is no file; give the file's whole path, or unset it to use .env")
    try:
        return dict(dotenv_values(path, interpolate=interpolate, encoding="utf-8"))
    except UnicodeDecodeError as error:
        text = Path(path).read_bytes()
        line = text[: error.start].count(b"\n") + 1 if error.object == text else "?"
        raise NotConfigured(f"{path} is not UTF-8 (line {line}); save it as UTF-8") from None
    except OSError as error:
        raise NotConfigured(f"{path}, which holds settings, cannot be read: {error.strerror}") from None


def refuse_invisible(values: Mapping[str, str | None], names: Iterable[str]) -> None:
    """`kit up` hands the settings on in a file: a value must survive that.

    Raises:
        NotConfigured: one of the values of `names` could not.
    """
    for name in names:
        if (value := values.get(name)) and (not value.isprintable() or value.endswith("\\")):
            raise NotConfigured(f"{name} has a line break or another invisible character in it, or ends with a \\")


def modules(names: str) -> tuple[str, ...]:
    """The modules that bring more jobs; none of them is imported.

    Raises:
        NotConfigured: one is not there.
    """
    listed = tuple(filter(None, names.replace(" ", "").split(",")))
    for module in listed:
        try:
            found = find_spec(module)
        except (ImportError, ValueError, AttributeError):
            found = None
        if found is None:
            raise NotConfigured(f"EXTRA_JOBS={names} names {module!r}, and Python finds no module of that name")
    return listed


def authority(path: str) -> str | None:
    """The file of the certificate authority to trust; None: those that the machine trusts.

    Raises:
        NotConfigured: no certificate can be read from it.
    """
    if not path:
        return None
    if not Path(path).is_absolute():
        raise NotConfigured(f"TLS_CA_FILE={path} is relative: each process would look elsewhere; give its whole path")
    try:
        create_default_context(cafile=path)
    except SSLError:
        raise NotConfigured(f"TLS_CA_FILE={path} holds no certificate (PEM)") from None
    except OSError as error:
        raise NotConfigured(f"TLS_CA_FILE={path} cannot be read: {error.strerror}") from None
    return path

"""A RabbitMQ with few plugins: it starts a third sooner.

Erlang looks for a module in one folder after the other, and RabbitMQ brings about seventy: each plugin and each library
is one. So a node gets a home of its own, with links to the folders that it needs. On two cores it starts in 6 s instead
of 9 s, and takes a third less CPU time.
"""

import re
import shutil
from pathlib import Path

WANTED = ("rabbit", "rabbitmq_management")  # RabbitMQ itself, and the plugins that the kit uses
FIRST = ("rabbit", "rabbit_common", "rabbitmq_management")  # most modules are in these folders
_NEEDS = re.compile(r"\{\s*(?:included_)?applications\s*,\s*\[([^\]]*)\]")


def home_for(server: Path, folder: Path) -> Path | None:
    """Make a home with few plugins, and return it.

    Args:
        server: the script `sbin/rabbitmq-server` of an installed RabbitMQ, or a link to it.
        folder: the home is made in it, and kept for the next start. A node that runs may still read from it.

    Returns:
        The home, or None if the installed RabbitMQ has another layout.
    """
    home = (server.resolve() if server.is_symlink() else server).parents[1]
    needed = needs(home / "plugins")
    if not {*WANTED} <= needed.keys() or not (home / "escript").is_dir():
        return None
    made = folder / home.name
    if is_whole(made, needed):
        return made
    shutil.rmtree(folder, ignore_errors=True)
    new = folder / "new"
    (new / "plugins").mkdir(parents=True)
    shutil.copytree(home / "sbin", new / "sbin")  # copies: the scripts look for their home beside themselves
    (new / "escript").symlink_to(home / "escript")
    for application in needed.values():
        (new / "plugins" / application.name).symlink_to(application)
    return new.rename(made)


def is_whole(made: Path, needed: dict[str, Path]) -> bool:
    """Return whether a home was made before, from these folders."""
    links = {made / "plugins" / application.name: application for application in needed.values()}
    return all(link.is_symlink() and link.readlink() == application for link, application in links.items())


def needs(plugins: Path) -> dict[str, Path]:
    """Return the wanted applications and all that they need, by name, each with its folder."""
    there = {file.stem: file for file in plugins.glob("*/ebin/*.app")}
    found: dict[str, Path] = {}
    open_ones = list(WANTED)
    while open_ones:
        name = open_ones.pop()
        if name in there and name not in found:  # other applications are Erlang's own
            found[name] = there[name].parents[1]
            for listed in _NEEDS.findall(there[name].read_text(encoding="utf-8")):
                open_ones += re.findall(r"\w+", listed)
    return found


def first_folders(home: Path) -> list[str]:
    """Return the folders of a home in which Erlang is to look first."""
    return [str(folder) for name in FIRST for folder in (home / "plugins").glob(f"{name}-*/ebin")]

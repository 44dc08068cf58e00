"""Check of a printed command without running it: each word is compared with the code.

The kit's own parsers read the words; then nothing happens. The catalogue checks job arguments, and `kit up`'s table
process names. The Makefile checks make's targets, the API's routes addresses, and docker-compose.yml containers.
"""

import argparse
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from importlib import import_module
from io import StringIO
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import yaml

from cars_bot.catalogue import JOBS, WORKFLOWS
from cars_bot.errors import CarsBotError
from commands.__main__ import COMMANDS, MODULES
from tests.docs.printed import Printed
from tests.kit import ROOT

KNOWN = {name for group in COMMANDS.values() for name in group}
# Another program of the kit reads the words of these commands.
READ_BY = {"antipattern": "antipatterns.__main__", "lab": "labs.__main__", "bench": "bench.__main__",
           "bench messages": "bench.messages", "bench api": "bench.api", "golden-rules": "experiments.golden_rules",
           "antipatterns": "antipatterns.report"}  # fmt: skip
OTHERS_READ = {"test", "test-faults", "locust", "exec"}  # pytest, locust, any program
PLACEHOLDERS = {"N": "1", "NN": "1", "VALUE": "1", "VALUEVALUE": "1", "RUN_ID": "0", "FEATURE": "prefetch",
                "LANE": "celery", "L": "raw", "FILE": "data/result.json", "labNN": "lab01"}  # fmt: skip
PROCESSES = {"api", "celery_beat", "celery_worker", "consumer", "scheduler", "outside_world", "rabbitmq", "redis",
             "flower", "epmd"}  # fmt: skip


class Parsed(Exception):
    """Proof that a parser accepted the words. The program must not do more."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options


@contextmanager
def only_parsing() -> Iterator[None]:
    """Let every ArgumentParser end its program after it has read the words."""
    original = argparse.ArgumentParser.parse_known_args

    def parse(self: argparse.ArgumentParser, args: Any = None, namespace: Any = None) -> Any:
        options, rest = original(self, args, namespace)
        if self.prog.count(" ") > 1 and not self.prog.endswith((" messages", " api")):
            return options, rest  # the parser of a sub-command: its parent ends the program
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        raise Parsed(options)

    with patch.object(argparse.ArgumentParser, "parse_known_args", parse):
        yield


def what_is_wrong(printed: Printed) -> str:
    """Return why the command cannot be right, or an empty text."""
    words = words_of(printed.text)
    while words and re.match(r"^[A-Z_]+=", words[0]):
        words = words[1:]
    if not words:
        return ""
    check: dict[str, Callable[[list[str]], str]] = {
        "./kit": kit, "kit": synopsis, "make": make, "docker": docker, "curl": curl,
    }  # fmt: skip
    if words[0] not in check:
        return ""
    if printed.where.partition(":")[0].endswith(".py") and words[0] == "./kit":
        if "…" in words:  # the message leaves something out
            return synopsis(words[1:])
        return "" if any(not kit(words[1:end]) for end in range(len(words), 1, -1)) else kit(words[1:2] or [""])
    return check[words[0]](words[1:])


def words_of(text: str) -> list[str]:
    """The words as a shell would pass them on, without redirections and with placeholders filled in."""
    text = re.sub(r"\$\(.*?\)", "VALUE", text)
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    if ">" in words:
        words = words[: words.index(">")]
    return [re.sub(r"\bVALUE\b", "1", PLACEHOLDERS.get(word, word)) for word in words]


def kit(words: list[str]) -> str:
    """Check `./kit …`: the command is known, its parser accepts the words, and the names in it exist."""
    if not words or words[0] in ("…", "COMMAND", "--help"):
        return ""
    name, rest = words[0], [word for word in words[1:] if word != "…"]
    if name not in KNOWN:
        return f"there is no command {name!r}"
    if name in OTHERS_READ:
        return missing_path(rest)
    if name == "bench" and rest[:1] in (["messages"], ["api"]):
        name, rest = f"bench {rest[0]}", rest[1:]
    said = StringIO()
    try:
        with redirect_stderr(said):
            if name not in READ_BY:
                parser = argparse.ArgumentParser(f"kit {name}")
                import_module(f"commands.{MODULES.get(name, name)}").arguments(parser)
                return names_in(name, vars(parser.parse_intermixed_args(rest)), rest)
            if not rest and name in ("antipattern", "lab"):
                return ""
            with only_parsing(), patch.object(sys, "argv", [name, *rest]):
                program = import_module(READ_BY[name])
                program.main(rest) if name in ("antipattern", "lab") else program.main()
    except Parsed as parsed:
        return names_in(name, vars(parsed.options), rest)
    except SystemExit as ended:
        return "" if ended.code == 0 else said.getvalue().strip().splitlines()[-1]
    return ""


def names_in(command: str, options: dict[str, Any], words: list[str]) -> str:
    """Check that the named things exist: a lab, an antipattern, a job with these arguments, a process, a file."""
    folder, number = {"lab": ("labs/lab", "number"), "antipattern": ("antipatterns/ap", "number")}.get(
        command, ("", "")
    )
    if folder and number in options and not list(ROOT.glob(f"{folder}{options[number]:02}_*")):
        return f"there is no {command} {options[number]}"
    if command == "submit" and "--args" in words:
        try:
            args = json.loads(options["args"])
            for job in WORKFLOWS.get(options["job"], (options["job"],)):
                JOBS[job].bind(**args)
        except (ValueError, KeyError, CarsBotError) as error:
            return f"{type(error).__name__}: {error}"
    if command in ("scale", "up", "restart", "logs"):
        named = [re.split(r"=|-\d+$", word)[0] for word in words if not word.startswith("-")]
        if unknown := [name for name in named if name not in PROCESSES | {"1"}]:
            return f"there is no process {unknown[0]!r}"
    return missing_path(words)


def missing_path(words: list[str]) -> str:
    """Name the first word that looks like a path of the project but does not exist."""
    for word in words:
        made = word.startswith(("workspace/", "submissions/", "reports/"))
        if "/" in word and not made and re.fullmatch(r"[\w./-]+", word) and not (ROOT / word).exists():
            return f"there is no {word}"
    return ""


def synopsis(words: list[str]) -> str:
    """Check `kit …` in a sentence: the command is known."""
    return "" if not words or words[0] in KNOWN | {"…", "COMMAND"} else f"there is no command {words[0]!r}"


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def make(words: list[str]) -> str:
    """Check `make TARGET`: the target exists."""
    unknown = [word for word in words if word not in targets()]
    return f"the Makefile has no target {unknown[0]!r}" if unknown else ""


def docker(words: list[str]) -> str:
    """Check `docker compose …`: the services exist. No container engine is needed."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    if words[:1] != ["compose"]:
        return ""
    if len(words) < 2 or words[1] not in ("up", "down", "exec", "logs", "ps", "config", "build"):
        return f"docker compose has no command {words[1:2]}"
    named = [word.partition("=")[0] for word in words if "=" in word and not word.startswith("-")]
    if words[1] in ("exec", "logs"):
        named += [word for word in words[2:] if not word.startswith("-")][:1]
        if words[1] == "exec" and "commands" in words:
            return kit(words[words.index("commands") + 1 :])
    unknown = [name for name in named if name not in services]
    return f"docker-compose.yml has no service {unknown[0]!r}" if unknown else ""


def curl(words: list[str]) -> str:
    """Check `curl … URL`: the API or the outside world has such an address."""
    from api.app import routes as app

    url = next((word for word in words if "/api/" in word or word.startswith("http")), "")
    path = urlsplit(url if "://" in url else f"http://{url.lstrip('…')}" if not url.startswith("…")
                    else f"http://here{url[1:]}").path  # fmt: skip
    routes = app.openapi()["paths"]
    shapes = [re.sub(r"\{\w+\}", "[^/]+", route) for route in routes]
    shapes += ["/api/live", "/docs", "/healthz", "/readyz", "/metrics"]
    return "" if any(re.fullmatch(shape, path) for shape in shapes) else f"the API has no {path}"

"""`./kit …`: the table of commands, and the handling of their errors. A module is imported only when needed."""

import argparse
import os
import sys
from importlib import import_module
from types import ModuleType

from cars_bot.settings import settings
from commands.common.console import CANNOT, EXIT_CODES, USAGE, Problem, any_terminal, report

# Group → command → its line in `./kit --help`, in the order of the help.
COMMANDS = {
    "Start and stop": {
        "demo": "start, send 20 posts down every lane, compare",
        "up": "start everything and print where it is",
        "down": "stop everything; data and settings stay",
        "restart": "stop and start, all or by name",
        "scale": "change the number of workers: celery_worker=3 consumer=2",
    },
    "Look": {
        "status": "the processes that run, and their addresses",
        "inspect": "what each worker is doing",
        "logs": "the processes' logs; -f follows them",
        "doctor": "what is wrong, and the command that mends it",
    },
    "Work": {
        "submit": "send a job: submit process_task --lane raw --args '{…}'",
        "wait": "wait for runs to end, and count",
        "compare": "send one batch down several lanes at once, cause faults, lay the results side by side",
        "comparisons": "the comparisons that were made: list, show, export, import, delete",
        "process": "read a Telegram export through one lane, print the fields found",
        "import": "store the posts of a Telegram export",
        "dead-letters": "messages nobody will try again: list, show, replay, discard",
        "purge": "revoke the waiting runs and empty the queues",
    },
    "Learn": {
        "lab": "eighteen steps, each tried on a real broker: list, start N, check N, hint N",
        "antipattern": "twenty mistakes, broken and fixed side by side: list, show N, run N",
        "golden-rules": "four things that the kit must survive, each tried on a kit of its own",
        "antipatterns": "all twenty mistakes, as a report that a thesis can quote",
    },
    "Develop": {
        "exec": "run a program inside the kit's environment: exec celery -A celery_app report",
        "test": "run the tests, on servers of their own",
        "test-faults": "all the faults that the kit must survive, as a table",
        "lint": "run ruff, its formatter and mypy",
        "parity": "each feature in Celery and by hand: the table, and its proof",
        "audit": "look for known security holes in the pinned packages",
        "bench": "measure the lanes against each other",
        "locust": "put load on the API over HTTP",
        "compile-requirements": "pin requirements.in with hashes",
    },
}
# The module of a command, where the names differ.
MODULES = {
    "import": "import_",
    "exec": "exec_",
    "compile-requirements": "compile_requirements",
    "dead-letters": "dead_letters",
    "test-faults": "test_faults",
    "golden-rules": "golden_rules",
}
# These commands work even while a setting is wrong: they stop or show things, or they deal with the source.
WITHOUT_SETTINGS = {"down", "doctor", "logs", "test", "test-faults", "lint", "audit", "parity", "compile-requirements"}


def overview() -> str:
    lines = ["usage: ./kit COMMAND …        ./kit COMMAND --help says more", ""]
    for group, commands in COMMANDS.items():
        lines += [group, *(f"  {name:22}{text}" for name, text in commands.items()), ""]
    return "\n".join([*lines, EXIT_CODES])


def main(words: list[str]) -> int:
    any_terminal()
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0 if words else USAGE
    name = words[0]
    known = {command: text for group in COMMANDS.values() for command, text in group.items()}
    if name not in known:
        report(Problem(f"no command is called {name!r}", "./kit --help lists the commands"))
        return USAGE
    try:
        if name not in WITHOUT_SETTINGS and not {"-h", "--help"} & set(words):
            settings()
        module = import_module(f"commands.{MODULES.get(name, name)}")
        if hasattr(module, "pass_on"):  # another program reads the words
            return pass_on(name, module, words[1:])
        parser = argparse.ArgumentParser(f"kit {name}", description=module.__doc__, epilog=EXIT_CODES,
                                         formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        module.arguments(parser)
        return int(module.main(parser.parse_intermixed_args(words[1:])))
    except Problem as problem:
        report(problem)
        return problem.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `kit logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if is_expected(error):
            report(Problem(str(error)))
            return CANNOT
        raise


def pass_on(name: str, module: ModuleType, words: list[str]) -> int:
    if words in (["-h"], ["--help"]):
        print(f"usage: kit {name} …\n\n{module.__doc__}\n{EXIT_CODES}")
        return 0
    return int(module.pass_on(words))


def is_expected(error: Exception) -> bool:
    """Return whether the domain raised `error` on purpose, with a message for people."""
    from cars_bot.errors import CarsBotError

    return isinstance(error, CarsBotError)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`./kit …`: which commands there are, and what becomes of their errors. A module is imported only when needed."""

import argparse
import os
import sys
from importlib import import_module
from types import ModuleType

from cars_bot.settings import settings
from commands.common.console import CANNOT, EXIT_CODES, USAGE, Problem, any_terminal, report

# Command → module in this package. The groups are the order of `--help`.
COMMANDS = {
    "Start and stop": {
        "demo": "start, send 20 posts down every lane, compare",
        "up": "start everything and print where it is",
        "down": "stop everything; data and settings stay",
        "restart": "stop and start, all or by name",
        "scale": "change the number of workers: celery_worker=3 consumer=2",
    },
    "Look": {
        "status": "what runs, and where it is",
        "inspect": "what each worker is doing",
        "logs": "the processes' logs; -f follows them",
        "doctor": "what is wrong, and what to type to mend it",
    },
    "Work": {
        "submit": "send a job: submit process_task --lane raw --args '{…}'",
        "wait": "wait for runs to end, and count",
        "process": "read a Telegram export through one lane, print what was found",
        "import": "take a Telegram export's posts in",
        "dead-letters": "what nobody will try again: list, show, replay, discard",
        "purge": "revoke what waits and empty the queues",
    },
    "Learn": {
        "lab": "eighteen steps, each tried on a real broker: list, start N, check N, hint N",
        "antipattern": "twenty mistakes, broken and fixed side by side: list, show N, run N",
        "golden-rules": "run again, die, be emptied: four things the kit survives, done to it",
        "antipatterns": "all of them, as a report that a thesis can quote",
    },
    "Develop": {
        "exec": "run a program inside the kit's environment: exec celery -A celery_app report",
        "test": "the tests, with servers of their own",
        "test-faults": "all the faults the kit survives, as a table",
        "lint": "ruff, its formatter and mypy",
        "parity": "what Celery does and what it takes by hand: the table, and its proof",
        "audit": "known security holes in what is pinned",
        "bench": "the lanes against each other",
        "locust": "load over HTTP",
        "compile-requirements": "pin requirements.in with hashes",
    },
}
MODULES = {
    "import": "import_",
    "exec": "exec_",
    "compile-requirements": "compile_requirements",
    "dead-letters": "dead_letters",
    "test-faults": "test_faults",
    "golden-rules": "golden_rules",
}
# These do their work although a setting is wrong: they stop things, say what is wrong, or are about the source.
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
        report(Problem(f"no command is called {name!r}", "./kit --help lists them"))
        return USAGE
    try:
        if name not in WITHOUT_SETTINGS and not {"-h", "--help"} & set(words):
            settings()
        module = import_module(f"commands.{MODULES.get(name, name)}")
        if hasattr(module, "pass_on"):  # the words are another program's
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
    """Whether the domain raised it on purpose, with a message for people."""
    from cars_bot.errors import CarsBotError

    return isinstance(error, CarsBotError)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

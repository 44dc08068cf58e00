"""`kit test …`: the tests, with servers of their own; they leave nothing running. The arguments are pytest's.

For example: `./kit test tests/unit -k ports`.
"""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    return run_program(["pytest", *words])

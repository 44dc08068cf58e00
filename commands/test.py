"""`kit test …`: the tests, with servers of their own; they leave nothing running. The arguments are pytest's.

For example: `./kit test tests/unit -k ports`.
"""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    # Most tests wait for processes: three wait at once. Asked for by name, they run in one process, easier to follow.
    return run_program(["pytest", *(words or ["-n", "3"])])

"""`kit golden-rules`: a task may run again, a worker may die, Beat may die, Redis may be emptied.

Each is done to a kit of its own. It takes about five minutes, most of it waiting for the schedule's next minute.
With --json, the same as JSON.
"""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    return run_program(["python", "-m", "experiments.golden_rules", *words])

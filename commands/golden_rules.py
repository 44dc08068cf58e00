"""`kit golden-rules`: a task may run again, a worker may die, Beat may die, Redis may be emptied.

Each of the four is tried on a kit of its own. This takes about five minutes, mostly to wait for the schedule's next
minute. With --json it prints the same as JSON.
"""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    return run_program(["python", "-m", "experiments.golden_rules", *words])

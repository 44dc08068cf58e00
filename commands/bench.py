"""`kit bench …`: the lanes against each other and against stock Celery, with servers of its own.

The arguments are those of `python -m bench`: --rounds 5 --backlog 5000 --databases sqlite,postgresql --prefetch-4
(the Celery lane with stock Celery's prefetch, too) --json.
"""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    return run_program(["python", "-m", "bench", *words])

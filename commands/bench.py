"""`kit bench …`: the lanes against each other and against stock Celery, with servers of its own.

The arguments are those of `python -m bench`: --rounds 5 --backlog 5000 --databases sqlite,postgresql --prefetch-4
(the Celery lane with stock Celery's prefetch, too) --json.
`kit bench messages` measures the message's way alone, without a database: --rounds 5 --jobs 20000 --backlogs --json.
"""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    module = "bench.messages" if words[:1] == ["messages"] else "bench"
    return run_program(["python", "-m", module, *(words[1:] if module != "bench" else words)])

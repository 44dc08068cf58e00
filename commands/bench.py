"""`kit bench …`: measure the lanes against each other and against stock Celery, on servers of its own.

The arguments are those of `python -m bench`: --rounds 5 --backlog 5000 --databases sqlite,postgresql --json.
`kit bench api` measures one API process over HTTP: runs accepted a second, latencies, lists and pages. See its --help.
`kit bench messages` measures only the way of a message, without a database: --rounds 5 --jobs 20000 --backlogs --json.
"""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    part = words[0] if words[:1] in (["messages"], ["api"]) else None
    return run_program(["python", "-m", f"bench.{part}" if part else "bench", *words[1 if part else 0 :]])

"""`kit locust …`: load on the kit that is up. The arguments are locust's: --headless -u 20 -r 10 -t 30s."""

from commands.client import base_url
from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    return run_program(["locust", "-f", "loadtest/locustfile.py", "--host", base_url(), *words])

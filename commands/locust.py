"""`kit locust …`: put load on the kit that is up. The arguments are locust's: --headless -u 20 -r 10 -t 15s.

Without --headless, locust serves a page of its own, on this machine only. The variables LANES, JOB and ARGS choose the
jobs: see loadtest/locustfile.py.
"""

from commands.common.client import base_url
from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    return run_program(["locust", "-f", "loadtest/locustfile.py", "--host", base_url(), *words])

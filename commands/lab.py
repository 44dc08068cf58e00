"""`kit lab list | start N | check N | hint N | diff N | reset N | solution N | explain N | progress`: eighteen labs.

check takes --lane celery|raw, --watch, --repeat K and --json. You work on copies in workspace/.
"""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    return run_program(["python", "-m", "labs", *words])

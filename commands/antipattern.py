"""`kit antipattern list | show N | run N [--broker rabbitmq|redis] [--repeat K]`: watch how it goes wrong, and how not."""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    return run_program(["python", "-m", "antipatterns", *words])

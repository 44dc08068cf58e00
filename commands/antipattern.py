"""`kit antipattern list | show N | run N`: watch a mistake go wrong, beside its fixed version.

run takes --by-hand (the same mistake on pika alone), --broker rabbitmq|redis, --repeat K and --json.
"""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    return run_program(["python", "-m", "antipatterns", *words])

"""`kit antipatterns …`: run all twenty antipatterns, broken and fixed, three times each, for a report.

A thesis can quote the report. It is in reports/antipatterns/: tables (Markdown, LaTeX, CSV), figures (SVG, PDF), JUnit
XML and the environment.
The arguments are those of `python -m antipatterns.report`: --repeat 3 --processes 3 --seed 1
--labels antipatterns/labels_ru.json (the figures' texts in Russian).
"""

from commands.exec_ import run_program


def pass_on(words: list[str]) -> int:
    return run_program(["python", "-m", "antipatterns.report", *words])

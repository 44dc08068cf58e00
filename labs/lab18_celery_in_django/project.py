"""python -m labs.lab18_celery_in_django.project FOLDER: make the Django project with your two files, to play with."""

import shutil
import sys
from pathlib import Path

from commands.common.console import USAGE, Problem, report
from labs.lab import LANES, Lab
from labs.workspace import started

LAB = Lab(Path(__file__).resolve().parent)
PLACES = {"celery": "config/celery.py", "raw": "apps/assets/management/commands/consume.py"}


def assemble(folder: Path, files: dict[str, Path]) -> None:
    """Make the project in `folder`. `files` has a file for each lane; a lane without one gets the solution."""
    shutil.copytree(LAB.folder / "project", folder, dirs_exist_ok=True)
    for lane in LANES:
        shutil.copyfile(files.get(lane) or LAB.solution(lane), folder / PLACES[lane])


def main(words: list[str]) -> int:
    try:
        if len(words) != 1:
            raise Problem("name one folder for the project", f"python -m {__spec__.name} my_site", code=USAGE)
        assemble(Path(words[0]), {lane: started(LAB, lane) for lane in LANES})
    except Problem as problem:  # for example the lab is not started
        report(problem)
        return problem.code
    print(f"{words[0]}/manage.py is ready")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

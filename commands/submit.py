"""`kit submit JOB`: send a job down a lane and print the runs' ids.

    ./kit submit process_task --lane raw --args '{"task_num": 1, "timeout": 2}' --count 10
    ./kit submit describe_post --args '{"text": "Kia Rio 2017, 890 000 RUB"}'    a workflow: the id is its first run's
    ./kit wait $(./kit submit debug_task --count 100)

The job goes down the Celery lane unless --lane names another lane.
"""

import argparse
import json
import sys

from commands.common.client import LANES, submit
from commands.common.console import USAGE, Problem, say


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="name of a job or a workflow in the catalogue, such as process_task")
    parser.add_argument("--lane", choices=LANES, default="celery", help="the lane of the job (celery)")
    parser.add_argument("--args", default="{}", metavar="JSON", help="the job's arguments by name, as a JSON object")
    parser.add_argument("--count", type=int, default=1, metavar="N", help="number of runs (1)")
    parser.add_argument("--priority", type=int, default=0, metavar="P", help="higher goes first (0)")
    parser.add_argument(
        "--countdown", type=float, default=0.0, metavar="S", help="start no earlier than S seconds from now (0)"
    )
    parser.add_argument("--json", action="store_true", help='{"runs": [{"id", "state", "url"}, …]}')


def main(options: argparse.Namespace) -> int:
    args = parse(options.args)
    if options.count < 1:
        raise Problem(f"--count {options.count} is too small: at least one run", "./kit submit … --count 1", code=USAGE)
    runs = submit(options.lane, options.job, args, options.count, options.priority, options.countdown)
    if options.json:
        print(json.dumps({"runs": runs}))
    else:
        print("\n".join(run["id"] for run in runs))
        if sys.stdout.isatty():
            say(f"{len(runs)} accepted. ./kit wait waits for them.")
    return 0


def parse(text: str) -> dict[str, object]:
    """Return the arguments of a job from the command line.

    Raises:
        Problem: the text is not a JSON object.
    """
    try:
        args = json.loads(text)
    except ValueError as error:
        raise Problem(
            f"--args is not JSON: {error}", """--args '{"task_num": 1, "timeout": 2}'""", code=USAGE
        ) from error
    if not isinstance(args, dict):
        raise Problem("--args is not a JSON object", """--args '{"task_num": 1, "timeout": 2}'""", code=USAGE)
    return args

"""python -m antipatterns list | show N | run N [--by-hand] [--broker rabbitmq|redis] [--repeat K] [--json]"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from antipatterns.experiment import Experiment, all_of_them, interval
from antipatterns.live import both
from antipatterns.show import difference, ending, heading
from commands.console import NO, USAGE, Problem, any_terminal, report, table
from experiments.started import started


def main(words: list[str]) -> int:
    """Run one of the commands and return its exit code."""
    parser = argparse.ArgumentParser(prog="./kit antipattern", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="all of them, by number")
    show = commands.add_parser("show", help="one of them: the difference, and what to read")
    run = commands.add_parser("run", help="broken and fixed side by side, on brokers of their own")
    for one in (show, run):
        one.add_argument("number", type=int, metavar="N")
        one.add_argument("--by-hand", action="store_true", help="the same mistake in a consumer on pika alone")
    run.add_argument("--broker", choices=("rabbitmq", "redis"), default="")
    run.add_argument("--repeat", type=int, default=1, metavar="K", help="so often, and how often the failure showed")
    run.add_argument("--json", action="store_true")
    options = parser.parse_args(words)
    try:
        if options.command == "list":
            hand = {each.number: each.by_hand.name for each in all_of_them() if each.by_hand}
            rows = [
                (each.number, each.name, " ".join(each.on_celery.brokers), hand.get(each.number, ""))
                for each in all_of_them()
            ]
            print(table(rows, ("", "antipattern", "brokers", "by hand"), right=[0]))
            return 0
        experiment = chosen(options.number, options.by_hand)
        if options.command == "show":
            print("\n".join([f"{options.number}. {experiment.name}", "", *difference(experiment), "",
                             f"More: antipatterns/{experiment.folder.name}/README.md"]))  # fmt: skip
            return 0
        return try_out(experiment, options.broker, options.repeat, options.json)
    except Problem as problem:
        report(problem)
        return problem.code
    except KeyboardInterrupt:
        return 130


def chosen(number: int, by_hand: bool) -> Experiment:
    """The experiment of the antipattern with that number.

    Raises:
        Problem: there is none.
    """
    for each in all_of_them():
        if each.number == number:
            if (experiment := each.by_hand if by_hand else each.on_celery) is None:
                raise Problem(f"{each.name} has no counterpart by hand", "leave --by-hand away", code=USAGE)
            return experiment
    raise Problem(f"there is no antipattern {number}", "./kit antipattern list names them", code=USAGE)


def try_out(experiment: Experiment, broker: str, repeat: int, as_json: bool) -> int:
    """Run both examples so often; 0 if broken failed and fixed held every time."""
    if broker and broker not in experiment.brokers:
        raise Problem(f"{experiment.name}: only on {' and '.join(experiment.brokers)}", code=USAGE)
    say: Callable[[str], None] = partial(print, flush=True) if not as_json else lambda _text: None
    pairs = []
    with started() as servers:
        for _ in range(repeat):
            say(f"\n{experiment.name}\n\n{heading()}")
            pairs.append(both(experiment, servers, broker, say))
            say(ending(*pairs[-1]))
    shares = {}
    for name, results in zip(("broken", "fixed"), zip(*pairs, strict=True), strict=True):
        shown = sum(result.failed for result in results)
        low, high = interval(shown, repeat)
        shares[name] = {"failed": shown, "of": repeat, "low": low, "high": high}
        if repeat > 1 and not as_json:
            print(f"{name} failed {shown} of {repeat} times (95 % interval of the share: {low:.0%} to {high:.0%})")
    if as_json:
        print(json.dumps({"shares": shares, "runs": [[asdict(result) for result in pair] for pair in pairs]}, indent=1))
    return 0 if shares["broken"]["failed"] == repeat and shares["fixed"]["failed"] == 0 else NO


if __name__ == "__main__":
    any_terminal(for_itself=True)
    sys.exit(main(sys.argv[1:]))

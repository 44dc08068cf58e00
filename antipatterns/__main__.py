"""python -m antipatterns list | show N | run N [--by-hand] [--broker rabbitmq|redis] [--repeat K] [--json]"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from antipatterns.experiment import Experiment, Result, all_of_them, interval
from antipatterns.live import EXAMPLES, both
from antipatterns.show import difference, ending, heading
from commands.common.console import DONE, NO, USAGE, Problem, any_terminal, report, table
from experiments.stage import DidNotHappen
from experiments.started import started


def main(words: list[str]) -> int:
    """Run one of the commands and return its exit code."""
    parser = argparse.ArgumentParser(prog="./kit antipattern", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="all of them, by number")
    show = commands.add_parser("show", help="one of them: the lines that differ, and where to read more")
    run = commands.add_parser("run", help="broken and fixed side by side, on brokers of their own")
    for one in (show, run):
        one.add_argument("number", type=int, metavar="N")
        one.add_argument("--by-hand", action="store_true", help="the same mistake in a consumer that uses only pika")
    run.add_argument("--broker", choices=("rabbitmq", "redis"), default="")
    run.add_argument("--repeat", type=int, default=1, metavar="K", help="K times; say how often the failure showed")
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
    """Return the experiment of the antipattern with that number.

    Raises:
        Problem: there is no such antipattern, or it has no version by hand.
    """
    for each in all_of_them():
        if each.number == number:
            if (experiment := each.by_hand if by_hand else each.on_celery) is None:
                raise Problem(f"{each.name} has no version by hand", "leave out --by-hand", code=USAGE)
            return experiment
    raise Problem(f"there is no antipattern {number}", "./kit antipattern list names them", code=USAGE)


def try_out(experiment: Experiment, broker: str, repeat: int, as_json: bool) -> int:
    """Run both examples `repeat` times; return 0 if every count of every repetition was as due."""
    if broker and broker not in experiment.brokers:
        where = " and ".join(experiment.brokers)
        raise Problem(f"{experiment.name} runs only on {where}, not on {broker}", "leave out --broker", code=USAGE)
    if repeat < 1:
        raise Problem(f"--repeat must be 1 or more, not {repeat}", code=USAGE)
    say: Callable[[str], None] = partial(print, flush=True) if not as_json else lambda _text: None
    pairs, differs = list[tuple[Result, Result]](), list[str]()
    with started(broker or experiment.brokers[0]) as servers:
        for number in range(1, repeat + 1):
            say(f"\n{experiment.name}\n\n{heading()}")
            try:
                pair = both(experiment, servers, broker, say)
            except DidNotHappen as error:  # the other repetitions still run
                differs.append(f"repetition {number}, {error}")
                continue
            pairs.append(pair)
            say(ending(*pair))
            for example, result in zip(EXAMPLES, pair, strict=True):
                differs += [f"repetition {number}, {example}: {text}" for text in result.differs]
    shares = {example: share([pair[side] for pair in pairs]) for side, example in enumerate(EXAMPLES)}
    if as_json:
        runs = [[asdict(result) for result in pair] for pair in pairs]
        print(json.dumps({"shares": shares, "differs": differs, "runs": runs}, indent=1))
    else:
        print("\n".join(summary(shares, repeat, differs)))
    return NO if differs else DONE


def share(results: list[Result]) -> dict[str, float]:
    """Return the number of failures, the number of runs, and the 95 % interval of their share."""
    shown, of = sum(result.failed for result in results), len(results)
    low, high = interval(shown, of) if of else (0.0, 1.0)
    return {"failed": shown, "of": of, "low": low, "high": high}


def summary(shares: dict[str, dict[str, float]], repeat: int, differs: list[str]) -> list[str]:
    """Return the lines that are printed after the last repetition."""
    lines = [
        f"{name} failed {one['failed']} of {one['of']} times "
        f"(95 % interval of the share: {one['low']:.0%} to {one['high']:.0%})"
        for name, one in shares.items()
        if repeat > 1
    ]
    if differs:
        return [*lines, "not as due:", *(f"  {text}" for text in differs)]
    return [*lines, f"every count was as due, {repeat} of {repeat} times"] if repeat > 1 else lines


if __name__ == "__main__":
    any_terminal(for_itself=True)
    sys.exit(main(sys.argv[1:]))

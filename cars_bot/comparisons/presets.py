"""Presets: comparisons that each teach one thing, with a sentence on what to watch and one on what to expect."""

from typing import Any, NamedTuple

from cars_bot.comparisons.request import ComparisonRequest

_SHORT: dict[str, Any] = {"job": "process_task", "args": {"task_num": 1, "timeout": 0.2}}
_LONG: dict[str, Any] = {"job": "process_task", "args": {"task_num": 1, "timeout": 3.0}}
_NOTHING: dict[str, Any] = {"job": "debug_task"}


class Preset(NamedTuple):
    """A comparison to try. `watch` and `expect` are sentences for a student."""

    request: dict[str, Any]
    watch: str
    expect: str


PRESETS: dict[str, Preset] = {
    "twenty-posts": Preset(
        {"name": "Twenty posts", "count": 20},
        "The three parts of the time: waiting, working, pausing.",
        "Both lanes publish all 20 posts once. The work itself takes equally long on both.",
    ),
    "kill-worker": Preset(
        {
            "name": "kill -9 in mid-job",
            "jobs": [_SHORT],
            "count": 40,
            "conditions": [{"at": 1.0, "what": "kill-worker"}],
        },
        "The jobs that the killed worker had in hand, and the worker that does them again.",
        "Each lane delivers these messages again, to the new worker. No job is lost, none has two effects.",
    ),
    "kill-child": Preset(
        {"name": "A child dies", "jobs": [_SHORT], "count": 40, "conditions": [{"at": 1.0, "what": "kill-child"}]},
        "The one job of the child that died, while its sister works on.",
        "The job is attempted a second time. The worker itself lives, so the others hardly wait.",
    ),
    "frozen-worker": Preset(
        {
            "name": "A worker freezes for three seconds",
            "jobs": [_SHORT],
            "count": 40,
            "conditions": [{"at": 1.0, "what": "freeze-worker", "seconds": 3.0}],
        },
        "The gap in which nothing ends. The worker is not dead, so its messages stay with it.",
        "No message is delivered again. The frozen jobs end three seconds late.",
    ),
    "cut-connections": Preset(
        {
            "name": "All connections are cut",
            "jobs": [_SHORT],
            "count": 80,
            "conditions": [{"at": 1.0, "what": "cut-connections"}],
        },
        "The gap after the cut: the broker lives, but all who talk to it must connect again.",
        "Messages without an acknowledgement come a second time. A job that was at work is not done twice.",
    ),
    "broker-restart": Preset(
        {
            "name": "The broker starts again",
            "jobs": [_SHORT],
            "count": 40,
            "conditions": [{"at": 1.0, "what": "restart-broker"}],
        },
        "The jobs at work when the broker goes, and the moment at which each lane is connected again.",
        "The workers connect again. Messages without an acknowledgement come a second time, and no job is lost.",
    ),
    "empty-redis": Preset(
        {"name": "Redis is emptied", "jobs": [_SHORT], "count": 40, "conditions": [{"at": 1.0, "what": "empty-redis"}]},
        "Whether anything happens to the jobs at all.",
        "Nothing is lost: the database is the truth. Redis only shows what happened, and the record has read it.",
    ),
    "more-workers": Preset(
        {
            "name": "Three workers instead of one",
            "jobs": [_SHORT],
            "count": 90,
            "conditions": [{"at": 2.0, "what": "scale", "workers": 3}, {"at": 9.0, "what": "scale", "workers": 1}],
        },
        "The new rows of workers, and the slope of the flow before and after them.",
        "Each lane becomes about three times as fast, a few seconds after the command.",
    ),
    "slow-before-quick": Preset(
        {"name": "A slow job before quick ones", "jobs": [_LONG, *[_NOTHING] * 9], "count": 40},
        "The quick jobs behind a slow one.",
        "A worker that took quick messages behind a slow job gives them back, so the other child does them.",
    ),
    "priorities": Preset(
        {"name": "Priorities", "jobs": [_SHORT], "priorities": [0, 5], "count": 40},
        "The order in which jobs of priority 0 and 5 begin.",
        "Both lanes begin the jobs of priority 5 first, except for those that a worker already had.",
    ),
    "retries": Preset(
        {"name": "The model answers 500", "count": 10, "conditions": [{"at": 0.0, "what": "error", "calls": 6}]},
        "The pauses between the attempts: they grow, and they differ from job to job.",
        "Some jobs are retried. All are done in the end.",
    ),
    "rate-limit": Preset(
        {"name": "Telegram says: wait", "count": 10, "conditions": [{"at": 0.0, "what": "rate-limit", "calls": 3}]},
        "The time between 429 and the next attempt.",
        "Each lane waits as long as it was told. No attempt is used up by that.",
    ),
    "lost-reply": Preset(
        {"name": "A lost reply", "count": 10, "conditions": [{"at": 0.0, "what": "lose-reply", "calls": 1}]},
        "The post that is in the channel although its job failed.",
        "One job of each lane ends as unknown: its worker cannot know whether it was published. It is not sent again.",
    ),
    "hang": Preset(
        {
            "name": "The model hangs",
            "count": 6,
            "conditions": [{"at": 0.0, "what": "hang", "calls": 1, "seconds": 5.0}],
        },
        "The child that waits for an answer, and the jobs behind it.",
        "The job that hung is retried. The others go on in the remaining children.",
    ),
    "steady": Preset(
        {"name": "Ten jobs a second", "jobs": [_NOTHING], "count": 100, "arrivals": {"per_second": 10}},
        "Waiting time while no queue forms.",
        "Each job waits for some milliseconds only: this is the cost of the lane itself.",
    ),
    "bursts": Preset(
        {"name": "Bursts", "jobs": [_SHORT], "count": 60, "arrivals": {"burst": 20, "every": 3.0}},
        "The queue that each burst leaves, and the time until it is empty.",
        "The waiting time grows within a burst, and falls to almost nothing before the next one.",
    ),
    "inline": Preset(
        {"name": "Without a queue", "lanes": ["celery", "raw", "inline"], "count": 10},
        "The inline lane: it works at once and one after the other, in the process of the web page.",
        "Inline has no waiting in a broker, but nobody would do its jobs after a crash.",
    ),
}


def request(name: str) -> ComparisonRequest:
    """Return the request of a preset."""
    return ComparisonRequest.model_validate(PRESETS[name].request)

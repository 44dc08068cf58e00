"""Check of lab 6: ten posts meet a messenger that is down for a while. It refuses one more post for good."""

from itertools import pairwise
from statistics import median

from labs.trial import Trial, in_words

POSTS = [f"Post {number}" for number in range(10)]
REFUSED = ""  # the messenger takes no empty text
LATER = "Post 10"  # sent while the others wait
TRIES = 4  # of each post while the messenger is down; three pauses lie between them
LAST = 6  # tries before a program gives a post up: the first one and five retries
LONG_ENOUGH = 15.0  # seconds for 1 + 2 + 4 s of pauses
ITS_TURN = 3.0  # seconds for a new post; the others now wait for 4 s and more
LONGEST = 25.0  # seconds for the last pause, of 16 s at most


def check(trial: Trial) -> None:
    """Check the pauses between a post's requests, and the published posts in the end."""
    stage = trial.stage
    trial.worker(concurrency=len(POSTS))
    trial.send("publish_post", text=REFUSED)
    trial.until(
        lambda: stage.count("answered", text=REFUSED), "the post that is refused is tried", mistake="Nothing is tried"
    )
    stage.order_fault("error", 1_000_000)
    for text in POSTS:
        trial.send("publish_post", text=text)
    trial.until(
        lambda: sum(tries(trial)) >= TRIES * len(POSTS),
        "what fails is tried again while the messenger is down",
        seconds=LONG_ENOUGH,
        mistake="It does not try again what may pass",
        happened=lambda: f"the ten posts are tried {', '.join(map(str, tries(trial)))} times",
        look="what happens when post() raises Passing",
    )
    waited = sorted(pause for each in pauses(trial) for pause in each)
    most = waited[len(waited) * 3 // 4]  # one random pause may be 0, but not three of four
    trial.require(
        "it waits before it tries again",
        most > 0.5,
        mistake="It asks again at once",
        happened=f"three of four tries came {most:.2f} s or less after the one before; the ten posts are tried "
        f"{', '.join(map(str, tries(trial)))} times",
        look="where the message is until it is tried again",
    )
    trial.until(
        lambda: min(tries(trial)) >= TRIES,
        f"each post is tried {TRIES} times",
        seconds=LONG_ENOUGH,
        mistake="Some posts are hardly tried again",
        happened=lambda: f"the ten posts are tried {', '.join(map(str, tries(trial)))} times",
        look="the number of tries that a post may have, and the messages in front of it in its queue",
    )
    trial.send("publish_post", text=LATER)
    trial.until(
        lambda: stage.count("request", text=LATER),
        "a new post has its turn while the others wait",
        seconds=ITS_TURN,
        mistake="A post that waits keeps a worker busy",
        happened=f"{ITS_TURN:.0f} s after {LATER} was sent, no worker had tried it",
        look="the place where a post waits: a worker that sleeps can do nothing else",
    )
    given_up = {text for text, times in zip(POSTS, tries(trial), strict=True) if times >= LAST}
    stage.end_faults()
    first, third = [each[0] for each in pauses(trial)], [each[2] for each in pauses(trial)]
    trial.require(
        "it waits longer from one try to the next",
        max(third) > 1.5 * max(first),
        mistake="It waits equally long each time",
        happened=f"at most {max(first):.2f} s before the second try, {max(third):.2f} s before the fourth",
        look="the line that computes the pause",
    )
    trial.require(
        "not all posts come back at the same moment",
        max(third) - min(third) > 0.15 * median(third),  # a busy machine also spreads them, but less
        mistake="All posts come back at the same moment",
        happened=f"pauses before the fourth try: {in_words(sorted(third))}",
        look="the random part of the pause (jitter)",
    )
    trial.until(
        lambda: {*POSTS, LATER} - given_up <= set(stage.posts()),
        "every post that has tries left is published in the end",
        seconds=LONGEST,
        mistake="Posts are lost",
        happened=lambda: f"published: {sorted(stage.posts())}; given up after {LAST} tries: {sorted(given_up)}",
        look="the way of a waiting message back into the queue",
    )
    trial.require(
        "none is published twice",
        len(stage.posts()) == len(set(stage.posts())),
        mistake="Posts are doubled",
        happened=f"published: {sorted(stage.posts())}",
        look="the answer to the broker for a message whose copy waits",
    )
    asked = trial.times("request", text=REFUSED)
    trial.require(
        "a post that is refused is asked for once",
        len(asked) == 1,
        mistake="It retries what can never succeed",
        happened=f"{len(asked)} requests: {in_words(asked)}",
        look="the errors after which it tries again; Refused is final",
    )


def tries(trial: Trial) -> list[int]:
    """Return the number of requests for each post."""
    return [trial.stage.count("request", text=text) for text in POSTS]


def pauses(trial: Trial) -> list[list[float]]:
    """Return the seconds between each post's requests."""
    return [[later - earlier for earlier, later in pairwise(trial.times("request", text=text))] for text in POSTS]

"""Check of lab 11: a request without an answer, a reply that trickles in, and the recorded outcome of each."""

from pathlib import Path

from labs.lab11_timeouts.book import recorded
from labs.trial import Trial, in_words

WELL, HANGS, BEHIND_IT, DRIPS, BEHIND_THAT, LAST = [f"Post {number}" for number in range(6)]
REFUSED = ""  # the messenger refuses an empty text
LIMIT = 3.0  # seconds for which a post may hold its worker
GENEROUS = 2 * LIMIT  # a busy machine is slow; that is not the student's fault
HANG, DRIP = 60.0, 10.0  # seconds; a drip's reply comes in twenty pieces, half a second apart


def check(trial: Trial) -> None:
    """Send two posts that get no answer in time, and behind each of them a post without a fault."""
    stage = trial.stage
    trial.worker(pool="prefork")
    trial.send("publish_post", text=WELL)
    trial.send("publish_post", text=REFUSED)
    trial.until(
        lambda: stage.count("answered", text=REFUSED),
        "posts are published while all is well",
        mistake="Nothing is published",
        look="what publish_post() does with its text",
    )
    stage.order_fault("hang", 1, seconds=HANG)
    in_turn(
        trial, HANGS, BEHIND_IT, "a request without an answer is given up",
        mistake="It waits for an answer that never comes", look="the timeout of post()",
    )  # fmt: skip
    trial.until(
        lambda: stage.count("answered", text=BEHIND_IT),
        "the worker goes on",
        mistake="The worker does not go on",
        look="what is left running, and what it holds",
    )
    stage.order_fault("drip", 1, seconds=DRIP)
    in_turn(
        trial, DRIPS, BEHIND_THAT, "a reply that trickles in is given up",
        mistake="A reply that trickles in holds the worker",
        look="the timeout of post(): it limits each wait for the next bytes; what limits the whole request?",
    )  # fmt: skip
    trial.send("publish_post", text=LAST)
    trial.until(
        lambda: LAST in stage.posts() and LAST in outcomes(trial),
        "the worker goes on after that, too",
        mistake="The worker does not go on",
        happened=lambda: f"recorded: {outcomes(trial)}",
        look="what is left running, and what it holds",
    )
    trial.require(
        "no post is published twice",
        sorted(stage.posts()) == [WELL, BEHIND_IT, DRIPS, BEHIND_THAT, LAST],
        mistake="It publishes again what may be out already",
        happened=f"published: {sorted(stage.posts())}; {DRIPS} was asked for at "
        f"{in_words(trial.times('request', text=DRIPS))}",
        look="what is done with a post that got no answer",
    )
    said = outcomes(trial)
    missing = [text for text in (HANGS, DRIPS) if text not in said]
    trial.require(
        "what became of each post is recorded",
        not missing,
        mistake="Nobody learns what became of a post",
        happened=f"nothing is recorded of {missing}",
        look="the code that runs when the time is over: a hard limit kills the process that should record",
    )
    trial.require(
        "of a post that got no answer it says that nobody knows",
        said[HANGS] == said[DRIPS] == "unknown",
        mistake="It claims to know what it cannot know",
        happened=f"{HANGS} is {said[HANGS]!r} and not in the channel, {DRIPS} is {said[DRIPS]!r} and in the channel",
        look="the outcome that you record when the time is over: could you tell the two apart?",
    )
    trial.require(
        "of a post that got an answer it says what the answer was",
        {text: said.get(text) for text in (WELL, BEHIND_IT, REFUSED)}
        == {WELL: "done", BEHIND_IT: "done", REFUSED: "failed"},
        mistake="It does not say what the messenger has said",
        happened=f"recorded: {said}",
        look="the branch for each answer: Refused is one answer, a return of post() is the other",
    )


def in_turn(trial: Trial, text: str, behind: str, claim: str, *, mistake: str, look: str) -> None:
    """Send a post that meets a fault and another one behind it. Require that the worker begins the second."""
    stage = trial.stage
    trial.send("publish_post", text=text)
    trial.until(lambda: stage.count("request", text=text), "it is asked for", mistake="Nothing is published")
    trial.send("publish_post", text=behind)
    trial.until(
        lambda: stage.count("request", text=behind), claim, seconds=GENEROUS, mistake=mistake, look=look,
        happened=lambda: f"{text} took the worker more than {GENEROUS:.0f} s; {behind} is still behind it",
    )  # fmt: skip


def outcomes(trial: Trial) -> dict[str, str]:
    """Return the recorded outcome of each post."""
    return recorded(Path(trial.stage.environment["DATABASE"]))

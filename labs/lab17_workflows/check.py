"""Check of lab 17: a post goes through the workflow. Its workers are killed, and one of its messages comes twice."""

from labs.lab17_workflows.copies import keep_copies, send_again
from labs.lab17_workflows.steps import PARTS, description
from labs.trial import QUEUE, Trial

CAR = "Kia Rio, 450000 rub, 98000 km"
OTHERS = ["Lada Vesta, 700000 rub, 20000 km", "Skoda Fabia, 900000 rub, 61000 km"]  # the check does not hold these
FOUND = {"price": "450000 rub", "mileage": "98000 km"}
DESCRIBED = description(CAR, FOUND)
JOIN = f"sending describe_post of {CAR}"  # raw lane: the place before the description's message is sent
LOST = "A step is lost with its worker"
SOON = 10.0  # seconds for a few steps of some hundredths each


def check(trial: Trial) -> None:
    """Check which steps are repeated, which are lost, and how often the parts are joined."""
    stage = trial.stage
    keep_copies(trial)
    for text in (CAR, *OTHERS):
        for part in PARTS:
            stage.let_pass(f"sending extract_{part} of {text}")
    for text in OTHERS:
        stage.let_pass(f"sending describe_post of {text}")
        for part in PARTS:
            stage.let_pass(f"{part} of {text}")

    victim = trial.worker()
    first, second = both_parts_are_asked_for(trial)
    trial.kill(victim)
    joiner = trial.worker()
    a_step_is_done_again(trial, second)
    trial.worker()
    a_copy_comes(trial, first, second)
    stage.let_pass(f"{second} of {CAR}")
    trial.until(
        lambda: joins(trial),
        "the parts are joined",
        seconds=SOON,
        mistake="The parts are never joined",
        happened=lambda: so_far(trial),
        look="who sends the message for the description, and when",
    )
    if stage.count("holds", where=JOIN):
        trial.kill(joiner)
        stage.let_pass(JOIN)
    trial.until(
        lambda: is_described(trial, CAR),
        "the post is described though its workers were killed",
        seconds=SOON,
        mistake=LOST,
        happened=lambda: f"{so_far(trial)}; published: {stage.posts()}; waiting in the queue: {stage.waiting(QUEUE)}",
        look="the order of two lines: the next step is sent, this step is acknowledged",
    )
    trial.send("process_post", text=OTHERS[1])
    trial.until(
        lambda: is_described(trial, OTHERS[1]), "the last post is described", seconds=SOON,
        mistake="One post holds up another", happened=lambda: f"published: {stage.posts()}",
        look="the jobs that wait for other jobs",
    )  # fmt: skip
    trial.require(
        "each post is described once, with both parts",
        [text for text in stage.posts() if text.startswith("Kia")] == [DESCRIBED] and len(stage.posts()) == 3,
        mistake="The parts are joined more than once, or not all of them",
        happened=f"published: {stage.posts()}",
        look="who sends the message for the description, and when",
    )


def both_parts_are_asked_for(trial: Trial) -> tuple[str, str]:
    """Lead the one worker to the second part, where it holds. Return the parts in their order."""
    stage = trial.stage
    trial.send("process_post", text=CAR)
    trial.until(
        lambda: "classify" in steps(trial) or stage.count("failed"),
        "the first step is begun, though there is one worker with one thread",
        seconds=SOON,
        mistake="A job waits for another job",
        happened=lambda: f"process_post is at work, {so_far(trial)}",
        look="what process_post waits for, and who is to do that",
    )
    failed = stage.notes("failed")
    trial.require(
        "the workflow can be sent",
        not failed,
        mistake="The workflow cannot be sent",
        happened=f"{failed[0].facts['task']} failed: {failed[0].facts['error'][:200]}" if failed else "",
        look="the result backend: can it do what the workflow needs?",
    )
    trial.until(
        lambda: held(trial),
        "a part is asked for",
        seconds=SOON,
        mistake="The workflow ends before its parts",
        happened=lambda: so_far(trial),
        look="the step after the classification, and the worker's log",
    )
    (first,) = held(trial)
    stage.let_pass(f"{first} of {CAR}")
    trial.until(
        lambda: len(held(trial)) == len(PARTS) or joins(trial),
        "the other part is asked for",
        seconds=SOON,
        mistake="The workflow ends before its parts",
        happened=lambda: so_far(trial),
        look="the message for each part",
    )
    trial.require(
        "the description waits for both parts",
        not joins(trial),
        mistake="It joins before all parts are there",
        happened=so_far(trial),
        look="who sends the message for the description, and when",
    )
    return first, next(part for part in PARTS if part != first)


def a_step_is_done_again(trial: Trial, second: str) -> None:
    """Require that the part whose worker was killed is begun again, and nothing else."""
    trial.until(
        lambda: trial.stage.count("holds", where=f"{second} of {CAR}") > 1,
        "the step whose worker was killed is begun again",
        seconds=SOON,
        mistake=LOST,
        happened=lambda: (
            f"the worker of the {second} was killed; {so_far(trial)}; "
            f"waiting in the queue: {trial.stage.waiting(QUEUE)}"
        ),
        look="when a message is acknowledged",
    )
    trial.require(
        "what was done before the kill is not done again",
        steps(trial).count("classify") == 1,
        mistake="It begins again from the start",
        happened=f"the worker of the {second} was killed; steps: {', '.join(steps(trial))}",
        look="which steps are messages of their own",
    )


def a_copy_comes(trial: Trial, first: str, second: str) -> None:
    """Send the first part's message a second time while the second part is at work."""
    send_again(trial, f"extract_{first}")
    trial.send("process_post", text=OTHERS[0])
    trial.until(
        lambda: is_described(trial, OTHERS[0]) or joins(trial),
        "another post is described meanwhile",
        seconds=SOON,
        mistake="One post holds up another",
        happened=lambda: f"{so_far(trial)}; published: {trial.stage.posts()}",
        look="how many unacknowledged messages a worker may have, and the jobs that wait for other jobs",
    )
    trial.require(
        "a message that comes twice counts once",
        not joins(trial),
        mistake="The join counts a copy",
        happened=f"the {first} was extracted twice, the {second} not yet, and the description was begun",
        look="the join: does it count messages, or parts?",
    )


def steps(trial: Trial) -> list[str]:
    """Return the steps that were begun for the car, in order."""
    return [note.facts["step"] for note in trial.stage.notes("step", text=CAR)]


def so_far(trial: Trial) -> str:
    """Describe the steps so far, in words."""
    return f"steps so far: {', '.join(steps(trial)) or 'none'}"


def held(trial: Trial) -> list[str]:
    """Return the parts of the car whose extraction was begun."""
    return [part for part in PARTS if trial.stage.count("holds", where=f"{part} of {CAR}")]


def joins(trial: Trial) -> bool:
    """Return whether the description was begun, or its message is about to be sent."""
    return "describe" in steps(trial) or trial.stage.count("holds", where=JOIN) > 0


def is_described(trial: Trial, text: str) -> bool:
    """Return whether a car's description is in the channel, complete or not."""
    return any(post.startswith(text.partition(",")[0]) for post in trial.stage.posts())

"""The journey of a run: its events as arrows in an order that can be."""

from api.pages.journey import MOST, diagram
from api.schemas import Happening


def events(*told: tuple[float, str]) -> list[Happening]:
    return [Happening(at=at, event=event, worker="w/1", attempt=1) for at, event in told]


def steps(*told: tuple[float, str], lane: str = "raw", effects: tuple[tuple[float, str], ...] = ()) -> list[str]:
    drawn = diagram(events(*told), effects, lane, from_a_run=False)
    return [f"{arrow.source} > {arrow.target}: {arrow.text}" for arrow, *_ in drawn.arrows]


def test_a_quick_job_goes_from_the_sender_to_the_outside_world_and_back() -> None:
    assert steps((1, "accepted"), (2, "published"), (3, "started"), (4, "succeeded"), effects=((4, "post"),)) == [
        "Sender > API: the job",
        "API > Database: store the run",
        "API > Broker: publish; confirmed",
        "Broker > Worker: deliver",
        "Worker > Database: take attempt 1",
        "Worker > Outside world: post",
        "Worker > Database: done: the outcome is stored",
        "Worker > Broker: acknowledge",
    ]


def test_a_publish_comes_before_the_delivery_also_if_its_confirm_came_later() -> None:
    found = steps((1, "accepted"), (2, "started"), (2.1, "published"), (3, "succeeded"))

    assert found[2:4] == ["API > Broker: publish; the confirm comes after 1.10 s", "Broker > Worker: deliver"]
    assert len([step for step in found if "publish" in step]) == 1


def test_a_message_that_its_worker_held_for_a_while_is_delivered_once() -> None:
    found = steps((1, "accepted"), (2, "published"), (3, "delivered"), (5, "started"), (6, "succeeded"))

    assert [step for step in found if "deliver" in step] == ["Broker > Worker: deliver; the worker holds it"]


def test_a_second_publish_stays_after_the_loss() -> None:
    found = diagram(
        [Happening(at=1, event="published"), Happening(at=2, event="started", worker="w", attempt=1),
         Happening(at=3, event="lost"), Happening(at=4, event="published")], (), "raw", from_a_run=True,
    )  # fmt: skip

    texts = [arrow.text for arrow, *_ in found.arrows]
    assert texts.index("its message is lost; publish again") < len(texts) - 1 - texts[::-1].index("publish; confirmed")
    assert [arrow.is_trouble for arrow, *_ in found.arrows if "lost" in arrow.text] == [True]


def test_the_inline_lane_has_no_broker_and_no_worker() -> None:
    drawn = diagram(events((1, "accepted"), (1, "started"), (2, "succeeded")), (), "inline", from_a_run=False)

    assert [name for name, _ in drawn.places] == ["Sender", "API", "Database"]


def test_a_run_with_very_many_retries_says_how_many_steps_are_left_out() -> None:
    drawn = diagram(events(*((float(n), "retry") for n in range(MOST))), (), "celery", from_a_run=False)

    assert (len(drawn.arrows), drawn.left_out) == (MOST, MOST)
    assert drawn.height > drawn.arrows[-1][3]

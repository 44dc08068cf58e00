"""Worksheets as people keep them: rows that our tables take over, rows that they refuse, and the messages for both."""

from typing import Any

import pytest
from sqlalchemy import select

from cars_bot import database
from cars_bot.clients import spreadsheet
from cars_bot.context import Attempt, Context, Delivery
from cars_bot.database.cars_models import channels, subscribers
from cars_bot.errors import InvalidArguments, Permanent
from cars_bot.jobs import sheets
from tests.unit.cars_bot.test_client_answers import fill

pytestmark = pytest.mark.usefixtures("fresh_database", "clients_use_it")
CHANNELS = ["username", "title", "active"]


def sync(job: Any, title: str, table: list[list[Any]]) -> dict[str, Any]:
    """Let the job read a worksheet with these rows, and commit its writes."""
    fill(title, table)
    context = Context(Delivery("run", "log_to_sheets", {}, "raw"), Attempt(1, {}), "worker")
    result: dict[str, Any] = job(context)
    with database.writing() as connection:
        for write in context.writes:
            write(connection)
    return result


def stored(table: Any) -> list[Any]:
    with database.statements() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)))


@pytest.mark.parametrize(
    "written", ["@cars", "Cars", " @CARS ", "t.me/cars", "https://t.me/Cars/", "\u200b@cars\ufeff"]
)
def test_a_channel_is_the_same_however_its_name_is_written(written: str) -> None:
    sync(sheets.sync_channels, "Channels", [CHANNELS, ["@cars", "first", "yes"]])
    sync(sheets.sync_channels, "Channels", [CHANNELS, [written, "second", "no"]])
    assert [(row.username, row.title, row.active) for row in stored(channels)] == [("@cars", "second", False)]


def test_a_channel_that_is_listed_twice_is_said_and_the_last_counts() -> None:
    rows = [CHANNELS, ["@cars", "first", "no"], ["t.me/Cars", "second", "yes"]]
    assert sync(sheets.sync_channels, "Channels", rows) == {"channels": 1, "active": 1, "listed_twice": ["@cars"]}
    assert stored(channels)[0].title == "second"


def test_a_missing_title_column_leaves_the_titles_as_they_are() -> None:
    sync(sheets.sync_channels, "Channels", [CHANNELS, ["@cars", "Cars of Kazan", "yes"]])
    sync(sheets.sync_channels, "Channels", [["username", "active"], ["@cars", "no"]])
    (row,) = stored(channels)
    assert (row.title, row.active) == ("Cars of Kazan", False)


def test_a_doubled_title_column_is_refused_too() -> None:
    with pytest.raises(Permanent, match="has 2 columns called 'title'"):
        sync(sheets.sync_channels, "Channels", [[*CHANNELS, "Title"], ["@cars", "a", "yes", "b"]])


@pytest.mark.parametrize(
    ("word", "active"),
    [("TRUE", True), (True, True), ("Да", True), (1, True), ("FALSE", False), (False, False), ("", False), (0, False)],
)
def test_yes_and_no_are_read_as_people_and_sheets_write_them(word: Any, active: bool) -> None:
    sync(sheets.sync_channels, "Channels", [CHANNELS, ["@cars", "", word]])
    assert stored(channels)[0].active is active


def test_every_row_that_cannot_be_used_is_named_and_nothing_is_taken_over() -> None:
    rows = [CHANNELS, ["@fine", "", "yes"], ["@" + "x" * 128, "", "yes"], ["@b", "t" * 257, ""], ["@c", "", "perhaps"]]
    with pytest.raises(Permanent) as raised:
        sync(sheets.sync_channels, "Channels", rows)
    for place in (
        "row 3, column 'username' has 129 characters; at most 128 fit",
        "row 4, column 'title' has 257 characters; at most 256 fit",
        "row 5, column 'active': 'perhaps' is neither yes nor no",
    ):
        assert place in str(raised.value)
    assert stored(channels) == []


def test_a_name_that_just_fits_is_taken_over() -> None:
    sync(sheets.sync_channels, "Channels", [CHANNELS, ["@" + "x" * 127, "t" * 256, "yes"]])
    assert len(stored(channels)[0].username) == 128


@pytest.mark.parametrize("day", ["2999-12-31", "31.12.2999", "2999-12-31 10:00:00"])
def test_a_day_is_read_as_people_write_it(day: str) -> None:
    sync(sheets.sync_subscribers, "Subscribers", [["chat", "expires"], ["@ivan", day], ["-100123", ""]])
    assert [(row.chat, row.active, row.expires_at is None) for row in stored(subscribers)] == [
        ("@ivan", True, False), ("-100123", True, True),
    ]  # fmt: skip


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "99999-01-01", "31/12/2999", "45000"])
def test_what_is_no_day_is_refused_by_its_place(day: str) -> None:
    with pytest.raises(Permanent, match=r"row 2, column 'expires': '.*' is no day; write it as YYYY-MM-DD"):
        sync(sheets.sync_subscribers, "Subscribers", [["chat", "expires"], ["@ivan", day]])


@pytest.mark.usefixtures("clients_use_it")
@pytest.mark.parametrize(
    ("job", "args", "complaint"),
    [
        ("publish_post", {"post_id": 2**70}, "post_id"),
        ("publish_post", {"post_id": 0}, "post_id"),
        ("publish_post", {"post_id": 1, "channel": "@" + "x" * 128}, "channel: .*at most 128 fit"),
        ("process_post", {"post_id": 1, "publish_to": "x" * 500}, "publish_to: .*at most 128 fit"),
        ("send_contact_info", {"post_id": 1, "subscriber": "x" * 64}, "subscriber: .*at most 64 fit"),
        ("cleanup_old_results", {"days": float("inf")}, "days"),
    ],
)
def test_arguments_that_no_column_holds_are_refused_before_a_run_is_made(
    job: str, args: dict[str, Any], complaint: str
) -> None:
    from cars_bot.catalogue import job_named

    with pytest.raises(InvalidArguments, match=complaint):
        job_named(job).bind(**args)


def test_a_channel_argument_is_brought_into_its_one_spelling() -> None:
    from cars_bot.catalogue import job_named

    for written in ("@Cars", "cars", "https://t.me/Cars"):
        assert job_named("publish_post").bind(post_id=1, channel=written)["channel"] == "@cars"
    assert job_named("process_post").bind(post_id=1)["publish_to"] is None


def test_a_worksheet_that_is_not_there_has_no_rows() -> None:
    assert spreadsheet.read("Nobody made it", ("username",)) == []

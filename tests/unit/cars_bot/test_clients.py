"""The real libraries against the stand-in: their answers when all is well, and the error that each fault becomes."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cars_bot.clients import call_limits, language_model, spreadsheet, telegram
from cars_bot.clients.forms import CarData
from cars_bot.errors import CarsBotError, OutcomeUnknown, Permanent, Retryable, Throttled
from cars_bot.settings import settings

pytestmark = pytest.mark.usefixtures("clients_use_it")
POST = "Продам Toyota Camry 2015 г.в., пробег 120 000 км, цена 1 350 000 ₽. Москва, 8 916 123-45-67, @seller_ivan"
CHANNEL = "@unit_channel"
HEADER = ["id", "name"]


def order(world: httpx.Client, service: str, fault: str, **more: Any) -> None:
    world.post("/_control/faults", json={"service": service, "fault": fault, **more}).raise_for_status()


def posted(world: httpx.Client, chat: str = CHANNEL) -> list[str]:
    messages = world.get("/_control/telegram/messages", params={"chat": chat}).json()["messages"]
    return [message.get("text") or message.get("caption") for message in messages]


def sheet(world: httpx.Client, title: str) -> list[list[str]]:
    return world.get("/_control/sheets/unit-tests").json()[title]


def requests_to(world: httpx.Client, service: str) -> int:
    return world.get("/_control/counters").json().get(service, {}).get("requests", 0)


# --- all is well -----------------------------------------------------------------------------------------------------


def test_a_post_is_classified_extracted_and_described() -> None:
    assert language_model.classify(POST).is_sale
    car = language_model.extract(POST)
    assert car == CarData(
        make="Toyota", model="Camry", year=2015, mileage_km=120_000, price=1_350_000, currency="RUB",
        city="Moscow", phones=["+79161234567"], telegram="@seller_ivan",
    )  # fmt: skip
    assert "Camry" in language_model.describe(car, POST)


def test_messages_and_photos_are_posted_and_numbered(outside_world: httpx.Client) -> None:
    first = telegram.send_message(CHANNEL, "Camry <b>&</b> 1 < 2")
    second = telegram.send_photo(CHANNEL, "https://example.com/camry.jpg", "a photo")
    assert (first, second) == (1, 2)
    assert posted(outside_world) == ["Camry <b>&</b> 1 < 2", "a photo"]
    assert telegram.get_me()["is_bot"] is True


def test_a_worksheet_is_created_appended_to_read_and_replaced(outside_world: httpx.Client) -> None:
    assert spreadsheet.read("Channels", HEADER) == []
    spreadsheet.append("Channels", HEADER, [[1, "@first"], [2, "=1+1"]])
    spreadsheet.append("Channels", HEADER, [[3, None]])
    assert [(found.row, found.cells) for found in spreadsheet.read("Channels", HEADER)] == [
        (2, {"id": "1", "name": "@first"}), (3, {"id": "2", "name": "=1+1"}), (4, {"id": "3", "name": ""}),
    ]  # fmt: skip
    spreadsheet.replace("Channels", HEADER, [[9, "only"]])
    assert sheet(outside_world, "Channels") == [["id", "name"], ["9", "only"]]
    spreadsheet.replace("Channels", HEADER, [[number, "many"] for number in range(3000)])
    assert len(spreadsheet.read("Channels", HEADER)) == 3000


def test_a_worksheet_deleted_behind_our_back_is_found_again_at_the_next_try(outside_world: httpx.Client) -> None:
    spreadsheet.append("Log", HEADER, [[1, "before"]])
    outside_world.post("/_control/reset")
    with pytest.raises(Retryable):
        spreadsheet.append("Log", HEADER, [[2, "after"]])
    spreadsheet.append("Log", HEADER, [[2, "after"]])
    assert sheet(outside_world, "Log") == [["id", "name"], ["2", "after"]]


def test_phones_are_normalised_here_too_because_a_model_may_send_anything() -> None:
    car = CarData(
        make=None, model=None, year=None, mileage_km=None, price=None, currency="rub", city=None,
        phones=["8 (912) 345-67-89", "+7 912 345 67 89", "call me", "12"], telegram="seller",
    )  # fmt: skip
    assert car.phones == ["+79123456789"]
    assert (car.currency, car.telegram) == ("RUB", "@seller")


# --- what each fault becomes -----------------------------------------------------------------------------------------

READING: dict[str, tuple[str, Callable[[], Any]]] = {
    "language model": ("openai", lambda: language_model.classify(POST)),
    "get_me": ("telegram", telegram.get_me),
    "read a sheet": ("google", lambda: spreadsheet.read("Faulty", HEADER)),
    "replace a sheet": ("google", lambda: spreadsheet.replace("Faulty", HEADER, [[1, "x"]])),
}
CHANGING: dict[str, tuple[str, Callable[[], Any]]] = {
    "send_message": ("telegram", lambda: telegram.send_message(CHANNEL, "hello")),
    "send_photo": ("telegram", lambda: telegram.send_photo(CHANNEL, "https://example.com/1.jpg", "hello")),
    "append to a sheet": ("google", lambda: spreadsheet.append("Faulty", HEADER, [[1, "x"]])),
}
LOST_REPLIES = ["garbage", "cut", "lose_reply", "huge"]


@pytest.fixture
def prepared(clients_use_it: None) -> None:
    """Make the connection and the worksheet, so that the fault meets the call itself."""
    spreadsheet.append("Faulty", HEADER, [[0, "first"]])


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("name", READING | CHANGING)
def test_being_told_to_wait_is_throttled_with_the_time_to_wait(outside_world: httpx.Client, name: str) -> None:
    service, call = (READING | CHANGING)[name]
    order(outside_world, service, "throttle", retry_after=7)
    with pytest.raises(Throttled) as raised:
        call()
    assert raised.value.retry_after == 7
    call()


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("name", READING | CHANGING)
def test_a_server_error_is_retryable_where_repeating_does_no_harm_and_the_library_does_not_repeat(
    outside_world: httpx.Client, name: str
) -> None:
    service, call = (READING | CHANGING)[name]
    before = requests_to(outside_world, service)
    order(outside_world, service, "error")
    with pytest.raises(OutcomeUnknown if name in CHANGING else Retryable):
        call()
    assert requests_to(outside_world, service) == before + 1


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("fault", LOST_REPLIES)
@pytest.mark.parametrize("name", READING)
def test_a_lost_reply_to_a_repeatable_call_is_retryable(outside_world: httpx.Client, name: str, fault: str) -> None:
    service, call = READING[name]
    order(outside_world, service, fault)
    with pytest.raises(Retryable):
        call()
    call()


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("fault", LOST_REPLIES)
@pytest.mark.parametrize("name", CHANGING)
def test_a_lost_reply_to_a_call_that_changes_something_is_unknown(
    outside_world: httpx.Client, name: str, fault: str
) -> None:
    service, call = CHANGING[name]
    order(outside_world, service, fault)
    with pytest.raises(OutcomeUnknown):
        call()


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("fault", ["hang", "drip"])
@pytest.mark.parametrize("name", READING | CHANGING)
def test_a_slow_answer_is_given_up_at_the_deadline(
    outside_world: httpx.Client, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    monkeypatch.setattr(call_limits, "DEADLINE_SECONDS", 0.3)
    monkeypatch.setenv("OPENAI_MODEL", f"model-{name}-{fault}")  # new settings build clients with the new limit
    settings.cache_clear()
    service, call = (READING | CHANGING)[name]
    spreadsheet.read("Faulty", HEADER)  # now the new client knows the worksheet, so the fault meets the call itself
    order(outside_world, service, fault, seconds=6)
    with pytest.raises(OutcomeUnknown if name in CHANGING else Retryable):
        call()


def test_nonsense_in_a_proper_envelope_is_retryable(outside_world: httpx.Client) -> None:
    order(outside_world, "openai", "nonsense")
    with pytest.raises(Retryable, match="does not fit car_data"):
        language_model.extract(POST)


def test_a_reply_lost_after_the_act_leaves_the_message_in_the_channel(outside_world: httpx.Client) -> None:
    order(outside_world, "telegram", "lose_reply")
    with pytest.raises(OutcomeUnknown):
        telegram.send_message(CHANNEL, "did it arrive?")
    assert posted(outside_world) == ["did it arrive?"]


@pytest.mark.parametrize("call", [
    lambda: telegram.send_message(CHANNEL, ""),
    lambda: telegram.send_message(CHANNEL, "x" * 5000),
    lambda: telegram.send_message("not a chat", "hello"),
])  # fmt: skip
def test_what_the_service_refuses_for_good_is_permanent(call: Callable[[], Any]) -> None:
    with pytest.raises(Permanent):
        call()


@pytest.mark.parametrize("name", READING | CHANGING)
def test_nobody_listening_is_retryable_because_nothing_was_sent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in ("OPENAI_BASE_URL", "TELEGRAM_BASE_URL", "SHEETS_BASE_URL"):
        monkeypatch.setenv(setting, "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(Retryable):
        (READING | CHANGING)[name][1]()


def test_our_errors_say_what_happened_without_secrets(outside_world: httpx.Client) -> None:
    order(outside_world, "telegram", "error")
    with pytest.raises(CarsBotError) as raised:
        telegram.send_message(CHANNEL, "hello")
    assert settings().telegram_bot_token not in str(raised.value)


# --- processes -------------------------------------------------------------------------------------------------------


def test_a_forked_child_gets_clients_of_its_own(outside_world: httpx.Client) -> None:
    script = (
        "import os\n"
        "from cars_bot.clients import telegram, language_model, spreadsheet\n"
        "def work(name):\n"
        "    telegram.send_message('@forks', name)\n"
        "    assert language_model.classify('Продам Ладу Весту 2018, 900 тыс. руб').is_sale\n"
        "    spreadsheet.append('Forks', ['who'], [[name]])\n"
        "work('parent before')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    work('child'); os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "work('parent after')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
    assert posted(outside_world, "@forks") == ["parent before", "child", "parent after"]


def test_importing_the_clients_does_not_import_the_heavy_libraries() -> None:
    script = (
        "import sys\n"
        "from cars_bot.clients import language_model, spreadsheet, telegram\n"
        "heavy = {'openai', 'gspread', 'httpx', 'httpx2', 'requests', 'google.auth', 'phonenumbers', 'telegram'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)

"""Unexpected answers, word by word, from the stand-in over HTTP, and the outcomes that the clients make of them."""

import json
import tracemalloc
from typing import Any

import httpx
import pytest

from cars_bot.clients import call_limits, forms, google_errors, language_model, spreadsheet, telegram
from cars_bot.errors import OutcomeUnknown, Permanent, Retryable, Throttled
from cars_bot.settings import settings
from commands.diagnosis import machine
from tests.unit.cars_bot.test_clients import CHANGING, CHANNEL, HEADER, POST, READING, order, posted, sheet

pytestmark = pytest.mark.usefixtures("clients_use_it")

WAITS = [
    ({"Retry-After": "7"}, 7), ({"Retry-After": "0"}, 0), ({"Retry-After": "1000000000000"}, 3600),
    ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 3600), ({"Retry-After-Ms": "1500"}, 1.5),
    ({"Retry-After": "-5"}, None), ({"Retry-After": "NaN"}, None), ({"Retry-After": "soon"}, None), ({}, None),
    ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "seconds"), WAITS)
@pytest.mark.parametrize("service", ["openai", "google"])
def test_a_wait_in_a_header_is_a_bounded_number_of_seconds(
    outside_world: httpx.Client, service: str, headers: dict[str, str], seconds: float | None
) -> None:
    calls = {"openai": lambda: language_model.classify(POST), "google": lambda: spreadsheet.read("Any", HEADER)}
    otherwise = {"openai": language_model.THROTTLED_SECONDS, "google": google_errors.THROTTLED_SECONDS}[service]
    body = {"error": {"message": "slow down", "code": 429}}
    order(outside_world, service, "answer", status=429, headers=headers, body=body)
    with pytest.raises(Throttled) as raised:
        calls[service]()
    assert raised.value.retry_after == (otherwise if seconds is None else seconds)


@pytest.mark.parametrize(
    ("parameters", "seconds"),
    [
        ('{"retry_after": 7}', 7), ('{"retry_after": 1000000000000}', 3600), ('{"retry_after": 1e400}', 5),
        ('{"retry_after": -1}', 5), ('{"retry_after": NaN}', 5), ('{"retry_after": "9"}', 9), ('{"retry_after": 0}', 0),
        ('{"retry_after": [1]}', 5), ("[]", 5), ("null", 5),
    ],
)  # fmt: skip
def test_a_wait_that_telegram_tells_is_a_bounded_number_of_seconds(
    outside_world: httpx.Client, parameters: str, seconds: float
) -> None:
    body = f'{{"ok": false, "error_code": 429, "description": "Too Many Requests", "parameters": {parameters}}}'
    order(outside_world, "telegram", "answer", status=429, body=body)
    with pytest.raises(Throttled) as raised:
        telegram.send_message(CHANNEL, "hello")
    assert raised.value.retry_after == seconds
    assert posted(outside_world) == []


@pytest.fixture
def prepared(clients_use_it: None) -> None:
    """Make the worksheet, so that the answer meets the call itself."""
    spreadsheet.append("Faulty", HEADER, [[0, "first"]])


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
@pytest.mark.parametrize(
    "body",
    [
        {"ok": False, "error_code": 504, "description": "Gateway Time-out"},
        {"error": {"code": 504, "message": "Gateway Time-out"}},
        "<html>504 Gateway Time-out</html>",
        "",
    ],
)
@pytest.mark.parametrize("name", CHANGING)
def test_a_proxys_error_after_the_act_is_unknown_because_it_does_not_say_not_done(
    outside_world: httpx.Client, name: str, body: Any, status: int
) -> None:
    service, call = CHANGING[name]
    order(outside_world, service, "answer", act=True, status=status, body=body)
    with pytest.raises(OutcomeUnknown):
        call()
    assert len(posted(outside_world)) + len(sheet(outside_world, "Faulty")) - 2 == 1, "it was done, once"


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("status", [302, 307, 408, 425, 499])
@pytest.mark.parametrize("name", CHANGING)
def test_a_status_that_is_neither_done_nor_refused_is_unknown_too(
    outside_world: httpx.Client, name: str, status: int
) -> None:
    service, call = CHANGING[name]
    body = {"ok": False, "error_code": status, "description": "?", "error": {"code": status, "message": "?"}}
    order(outside_world, service, "answer", act=True, status=status, body=body, headers={"Location": "/"})
    with pytest.raises(OutcomeUnknown):
        call()
    assert len(posted(outside_world)) + len(sheet(outside_world, "Faulty")) - 2 == 1, "it was done, once"


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("body", ["no JSON", [], {"error": "just a word"}, {"error": {"code": 400, "message": [1]}}])
@pytest.mark.parametrize("name", CHANGING)
def test_a_refusal_in_a_shape_that_nobody_knows_is_a_refusal(outside_world: httpx.Client, name: str, body: Any) -> None:
    service, call = CHANGING[name]
    order(outside_world, service, "answer", status=400, body=body)
    with pytest.raises(Permanent, match="400"):
        call()


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("name", READING | CHANGING)
def test_an_answer_that_unpacks_to_more_than_we_take_is_cut_off_while_it_is_unpacked(
    outside_world: httpx.Client, name: str
) -> None:
    service, call = (READING | CHANGING)[name]
    order(outside_world, service, "huge", megabytes=200, packed=True)
    tracemalloc.start()
    try:
        with pytest.raises(OutcomeUnknown if name in CHANGING else Retryable):
            call()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 4 * call_limits.MAX_ANSWER_BYTES, f"{most:,} bytes were held"


def test_a_token_that_is_far_too_long_is_cut_off_as_well(
    outside_world: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_MODEL", "new settings, so that a token is asked for")
    settings.cache_clear()
    order(outside_world, "google", "huge", only="/token", next=9)
    with pytest.raises(Retryable):
        spreadsheet.read("Any", HEADER)


def test_a_packed_answer_of_ordinary_size_is_read(outside_world: httpx.Client) -> None:
    result = {"message_id": 7, "date": 1, "chat": {"id": 1, "type": "channel", "title": "x"}}
    order(outside_world, "telegram", "answer", body={"ok": True, "result": result}, packed=True)
    assert telegram.send_message(CHANNEL, "hello") == 7


@pytest.mark.parametrize("status", [400, 403, 404, 413])
def test_a_refusal_in_anybodys_words_is_no_message_and_no_retry(outside_world: httpx.Client, status: int) -> None:
    order(outside_world, "telegram", "answer", status=status, body="<html>go away</html>")
    with pytest.raises(Permanent, match=str(status)):
        telegram.send_message(CHANNEL, "hello")


@pytest.mark.parametrize("number", [0, -1, 2**63, 1.5, "7", True, None])
def test_a_message_whose_number_cannot_be_kept_may_be_posted(outside_world: httpx.Client, number: Any) -> None:
    result = {"message_id": number, "date": 1, "chat": {"id": 1, "type": "channel", "title": "x"}}
    order(outside_world, "telegram", "answer", act=True, body={"ok": True, "result": result})
    with pytest.raises(OutcomeUnknown):
        telegram.send_message(CHANNEL, "hello")


# --- the language model ----------------------------------------------------------------------------------------------


def says(world: httpx.Client, content: Any, finish_reason: Any = "stop", **message: Any) -> None:
    """Let the language model answer this, in a correct envelope."""
    choice = {
        "index": 0,
        "finish_reason": finish_reason,
        "message": {"role": "assistant", "content": content, **message},
    }
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    order(world, "openai", "answer", headers={"Content-Type": "application/json"}, body=json.dumps(body))


VERDICT = json.dumps({"is_sale": True, "reason": "half \ud83d"})


@pytest.mark.parametrize("reason", ["length", "content_filter", "tool_calls", "something new", 7])
def test_an_answer_that_was_not_finished_fails_and_names_the_reason(outside_world: httpx.Client, reason: Any) -> None:
    says(outside_world, VERDICT, reason)
    with pytest.raises(Permanent, match=str(reason)):
        language_model.classify(POST)


def test_half_a_character_is_replaced_wherever_it_comes_from(outside_world: httpx.Client) -> None:
    says(outside_world, VERDICT)
    assert language_model.classify(POST).reason == "half \ufffd"
    says(outside_world, None, refusal="no \ud83d")
    with pytest.raises(Permanent, match="no \ufffd"):
        language_model.classify(POST)


def test_an_answer_in_parts_is_put_together_and_other_content_is_no_text(outside_world: httpx.Client) -> None:
    says(outside_world, [{"type": "text", "text": VERDICT[:9]}, {"type": "text", "text": VERDICT[9:]}])
    assert language_model.classify(POST).is_sale
    for content in ([{"type": "image_url", "image_url": "x"}], [None], {"a": 1}, 7, [["x"]]):
        says(outside_world, content)
        with pytest.raises(Retryable):
            language_model.classify(POST)


@pytest.mark.parametrize("choices", [[], None, [None], [{"finish_reason": "stop", "message": None}], [{}], "x", [[]]])
def test_an_envelope_without_a_message_is_asked_for_again(outside_world: httpx.Client, choices: Any) -> None:
    order(outside_world, "openai", "answer", body={"id": "1", "object": "chat.completion", "choices": choices})
    with pytest.raises(Retryable):
        language_model.classify(POST)


@pytest.mark.parametrize(
    "content", ["no JSON", '{"is_sale": NaN}', "[" * 100_000, "null", '{"is_sale": "yes", "reason": ""}']
)
def test_an_answer_that_does_not_fit_the_form_is_asked_for_again(outside_world: httpx.Client, content: str) -> None:
    says(outside_world, content)
    with pytest.raises(Retryable):
        language_model.classify(POST)


CAR = {"make": "Kia", "model": "Rio", "year": 2017, "mileage_km": 98_000, "price": 890_000, "currency": "RUB",
       "city": "Kazan", "phones": [], "telegram": None}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "said", "kept"),
    [
        ("year", 10**30, None), ("year", -1, None), ("price", -5, None), ("price", 10**15, None),
        ("mileage_km", -1, None), ("make", "K" * 5000, "K" * 100), ("currency", "roubles", None),
        ("phones", ["+79172223344"] * 5000, ["+79172223344"]),
    ],
)  # fmt: skip
def test_what_no_car_can_have_is_as_good_as_not_said(
    outside_world: httpx.Client, field: str, said: Any, kept: Any
) -> None:
    says(outside_world, json.dumps(CAR | {field: said}))
    assert language_model.extract(POST).model_dump() == CAR | {field: kept}


def test_a_description_far_longer_than_asked_for_is_asked_for_again(outside_world: httpx.Client) -> None:
    says(outside_world, "Kia Rio. " * 100_000)
    with pytest.raises(Retryable, match="at most 2000 fit"):
        language_model.describe(forms.CarData(**CAR), POST)


def test_an_answer_that_says_two_things_is_asked_for_again(outside_world: httpx.Client) -> None:
    says(outside_world, '{"is_sale": true, "is_sale": false, "reason": ""}')
    with pytest.raises(Retryable, match="'is_sale' is there twice"):
        language_model.classify(POST)


@pytest.mark.parametrize(
    ("said", "kept"),
    [("seller", "@seller"), ("t.me/Seller", "@Seller"), ("https://t.me/x\nBUY NOW", None), ("@a b", None), ("", None)],
)
def test_a_handle_is_a_name_and_nothing_else(outside_world: httpx.Client, said: str, kept: str | None) -> None:
    says(outside_world, json.dumps(CAR | {"telegram": said}))
    assert language_model.extract(POST).telegram == kept


# --- sheets ----------------------------------------------------------------------------------------------------------


def fill(title: str, rows: list[list[Any]]) -> None:
    """Make a worksheet with these rows."""
    spreadsheet.replace(title, ["x"], [])
    spreadsheet.replace(title, rows[0], rows[1:])


def test_a_header_counts_without_blanks_and_case_and_after_blank_rows() -> None:
    fill("Odd", [["", ""], [" Username ", "ACTIVE"], ["@a", "yes"], ["", ""], ["@b", ""]])
    found = spreadsheet.read("Odd", ("username", "active"))
    assert [(record.row, record.text("username", 10)) for record in found] == [(3, "@a"), (5, "@b")]


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (["username", "title"], "has no column 'active'"),
        (["username", "active", "Active "], "has 2 columns called 'active'"),
        (["@first", "yes"], "has no column 'username'"),
    ],
)
def test_a_missing_or_doubled_column_is_no_empty_cell(header: list[str], complaint: str) -> None:
    fill("Odd", [header, ["@a", "yes"]])
    with pytest.raises(Permanent, match=complaint):
        spreadsheet.read("Odd", ("username", "active"))


def test_a_cell_that_is_too_long_is_named_by_its_place() -> None:
    fill("Odd", [["username", "active"], ["@a", "yes"], ["@" + "b" * 300, "yes"]])
    with pytest.raises(
        Permanent, match="worksheet 'Odd', row 3, column 'username' has 301 characters; at most 128 fit"
    ):
        [record.text("username", 128) for record in spreadsheet.read("Odd", ("username", "active"))]


def test_a_spreadsheet_that_is_not_shared_says_with_whom_to_share_it(outside_world: httpx.Client) -> None:
    refusal = {"error": {"code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED"}}
    order(outside_world, "google", "answer", status=403, body=refusal)
    with pytest.raises(Permanent, match=r"Share the spreadsheet 'unit-tests'.*client_email"):
        spreadsheet.read("Any", HEADER)


def test_a_spreadsheet_that_is_not_there_names_the_setting(outside_world: httpx.Client) -> None:
    order(outside_world, "google", "answer", status=404, body={"error": {"code": 404, "message": "not found"}})
    with pytest.raises(Permanent, match="SPREADSHEET_ID"):
        spreadsheet.read("Any", HEADER)


@pytest.mark.parametrize(
    "content", [None, "", "not JSON", "{}", '{"type": "service_account", "client_email": "a@b"}', "[]"]
)
def test_a_key_file_that_is_missing_or_none_is_permanent_and_names_the_setting(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_FILE", str(path))
    settings.cache_clear()
    with pytest.raises(Permanent, match="GOOGLE_SERVICE_ACCOUNT_FILE"):
        spreadsheet.read("Any", HEADER)
    (fault,) = machine.google_key(str(path))
    assert "GOOGLE_SERVICE_ACCOUNT_FILE" in fault.what
    assert "download the account's key" in fault.remedy

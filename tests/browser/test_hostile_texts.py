"""Hostile texts wherever a stranger can write: arguments, errors, results, names of workers and of comparisons."""

import json

import pytest

from tests.api.server import Server
from tests.browser.conftest import Visit, sync_api
from tests.browser.every_page import runs_of
from tests.browser.test_comparisons import ended
from tests.kit import until

expect = sync_api.expect
pytestmark = pytest.mark.thorough

TEXTS = {
    "markup": "</script></title><script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'>",
    "markup in an attribute": "\" autofocus onfocus='window.harmed = 1' x=\"{{ 7 * 7 }}",
    "a long word": "W" * 10_000,
    "right to left": "\u202e\u2066\u202b evil \u2067",
    "NUL": "a\x00b\x1b[31m\x07",
    "half a character": "a\ud800b",
}
LONGEST_NAME = 128  # characters of a worker's name
READABLE = {"NUL": "a", "half a character": "a"}  # these texts are stored with other characters in the bad ones' places


def ended_with(server: Server, text: str) -> tuple[str, str, str]:
    """A comparison of two runs whose every text is this one: one run failed, one is done. Returns the three ids."""
    reported = text.replace("\ud800", "?")  # as a worker sends it
    word = reported[:LONGEST_NAME]
    wanted = {"name": word[:60].strip() or "x", "lanes": ["raw"], "count": 2, "deadline": 60,
              "jobs": [{"job": "classify_post", "args": {"text": text}}]}  # fmt: skip
    as_json = {"Content-Type": "application/json"}
    made = server.http.post("/api/comparisons", content=json.dumps(wanted).encode(), headers=as_json)
    if made.status_code == 422:  # a name or an argument that can never be stored is refused in words
        assert made.json()["message"]
        wanted |= {"name": "refused", "jobs": [{"job": "classify_post", "args": {"text": "refused"}}]}
        made = server.http.post("/api/comparisons", json=wanted)
    comparison = str(made.raise_for_status().json()["id"])
    failed, done = runs_of(server, comparison, 2)
    for run, status, more in (
        (failed, "FAILED", {"error": reported}),
        (done, "DONE", {"result": {reported[:50]: reported}}),
    ):
        its = server.run(run)
        began = server.report(run, "IN_PROGRESS", job=its["job"], lane=its["lane"], args=its["args"], worker=word)
        assert began.status_code == 200, began.text
        reply = server.end(run, status, worker=word, **more)
        assert reply.status_code == 200, reply.text
    until(lambda: server.http.get(f"/api/comparisons/{comparison}").json()["state"] == "ENDED", 30, "it has ended")
    return comparison, failed, done


@pytest.mark.parametrize("kind", TEXTS)
def test_a_hostile_text_harms_no_page(visit: Visit, server: Server, kind: str) -> None:
    comparison, failed, done = ended_with(server, TEXTS[kind])
    other = ended(server, count=1)
    readable = READABLE.get(kind, TEXTS[kind])[:60].strip()
    visitor = visit()
    page = visitor.page
    for address in ("/", f"/runs/{failed}", f"/runs/{done}", f"/comparisons?run={failed}", "/comparisons",
                    f"/comparisons/{comparison}?beside={other}", f"/comparisons/{comparison}"):  # fmt: skip
        page.goto(address)
        expect(page.locator("main")).to_be_visible()
        if "/runs/" in address:
            expect(page.locator("main")).to_contain_text(readable)
        assert page.evaluate("window.harmed") is None, address
        assert visitor.overflow() <= 0, address

    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.locator("[data-swim]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-tip]")).to_contain_text(readable)
    page.get_by_text("The same as a table").click()
    expect(page.locator("[data-attempts] tr")).to_have_count(2)
    assert page.evaluate("window.harmed") is None
    assert visitor.overflow() <= 0

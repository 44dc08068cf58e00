"""An antipattern's run says of every count whether it is as due. It ends with 1 if one is not, whatever the verdict."""

import pytest

from antipatterns.__main__ import try_out
from antipatterns.experiment import on_celery
from experiments.stage import DidNotHappen

AUTODISCOVER = on_celery(10)


@pytest.mark.thorough
def test_a_count_that_differs_is_named_and_the_run_ends_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    due = AUTODISCOVER.module.DUE
    monkeypatch.setattr(AUTODISCOVER.module, "DUE", {**due, "fixed": {**due["fixed"], "published": 4}})

    assert try_out(AUTODISCOVER, "", repeat=2, as_json=False) == 1

    said = capsys.readouterr().out
    assert "fixed failed 0 of 2 times" in said  # the verdict has not changed
    assert "  repetition 1, fixed: published: 5, due 4\n  repetition 2, fixed: published: 5, due 4\n" in said


@pytest.mark.thorough
def test_what_does_not_happen_is_said_and_the_next_repetition_is_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, tried = AUTODISCOVER.module.run, []

    def at_first_not(stage: object, module: str) -> object:
        tried.append(module)
        if len(tried) == 1:
            raise DidNotHappen("after 20 s still not: it is done")
        return run(stage, module)

    monkeypatch.setattr(AUTODISCOVER.module, "run", at_first_not)

    assert try_out(AUTODISCOVER, "", repeat=2, as_json=False) == 1

    said = capsys.readouterr().out
    assert "after 20 s still not: it is done" in said
    assert "broken failed 1 of 1 times" in said

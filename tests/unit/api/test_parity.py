"""The parity table: complete, up to date, and with a test on both lanes for each row."""

from pathlib import Path

import pytest

from api.pages import features, parity
from commands import parity as command

PIECES = parity.pieces()
TESTS = command.tests()


@pytest.mark.parametrize("feature", features.FEATURES, ids=lambda feature: feature.name)
def test_each_feature_has_words_code_and_a_test_on_both_lanes(feature: features.Feature) -> None:
    whose = {piece.lane for piece in PIECES if piece.feature == feature.name and piece.lines}

    assert feature.celery
    assert feature.raw
    assert {"raw", "both"} & whose
    assert {"celery", "both"} & whose or feature.celery.startswith("built in")
    assert TESTS.get(feature.name), "no test on both lanes is marked with it"


def test_each_test_is_marked_with_a_feature_there_is() -> None:
    assert TESTS.keys() <= features.BY_NAME.keys()


def test_the_table_is_up_to_date() -> None:
    assert command.PAGE.read_text(encoding="utf-8") == command.table(), "./kit parity --write"


def test_code_is_taken_out_whole_and_what_is_left_is_python(tmp_path: Path) -> None:
    (tmp_path / "celery_app.py").write_text(
        "def f():\n    # feature: prefetch\n    return 1\n    # end\n\n\n# feature: revoke\nx = 1\n# end\ny = 2\n"
    )
    for name in parity.SOURCES[1:]:
        (tmp_path / name).touch()
    found = parity.pieces(tmp_path)
    command.cut(tmp_path / "celery_app.py", found)

    assert [(piece.feature, piece.lane, piece.code, piece.lines) for piece in found] == [
        ("prefetch", "celery", "return 1", 1),
        ("revoke", "celery", "x = 1", 1),
    ]
    assert (tmp_path / "celery_app.py").read_text() == "def f():\n    pass\n\n\ny = 2\n"


@pytest.mark.parametrize(
    "source", ["# feature: prefetch\n", "# end\n", "# feature: no such thing\n# end\n",
               "# feature: prefetch\n# feature: revoke\n# end\n"]
)  # fmt: skip
def test_a_mark_that_is_wrong_is_named_with_its_line(tmp_path: Path, source: str) -> None:
    (tmp_path / "celery_app.py").write_text(source)
    with pytest.raises(ValueError, match=r"celery_app.py:\d"):
        parity.pieces(tmp_path)

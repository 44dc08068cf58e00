"""The rules for the words of the project: each kind of finding is found, and a plain sentence is not one."""

import pytest

from commands.common.prose import broken_rules, in_markdown, in_python, sentences

LONG = "The worker takes " + "the next message and " * 8 + "stops."


@pytest.mark.parametrize(
    ("sentence", "rule"),
    [
        (LONG, "words, at most 30"),
        ("What is not confirmed by then is unknown.", "a noun is the subject"),
        ("Who waits is woken by the end itself.", "a noun is the subject"),
        ("A claim of another attempt is waited for.", "passive that ends in a preposition"),
        ("Nor does a second scheduler do any harm.", "the verb comes before the subject"),
    ],
)
def test_a_literary_sentence_is_found(sentence: str, rule: str) -> None:
    assert any(rule in broken for broken in broken_rules(sentence))


@pytest.mark.parametrize(
    "sentence",
    [
        "An unconfirmed message is in an unknown state.",
        "What is a queue for?",  # a question
        "The row is written by the relay before the ack.",
        "A command such as `a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f` counts as one word.",
    ],
)
def test_a_plain_sentence_is_left_alone(sentence: str) -> None:
    assert [rule for part in sentences(sentence) for rule in broken_rules(part)] == []


def test_docstrings_comments_and_documents_are_read() -> None:
    source = '"""Whether it works."""\n\n# Who waits is woken.\nx = 1\n'
    assert [(each.line, each.rule) for each in in_python("x.py", source)] == [
        (1, "a docstring opens with a noun or a verb"),
        (3, "a noun is the subject, not What or Who"),
    ]
    table = "| What is sent | is lost |\n\n```\nWho waits is woken.\n```\n\n" + "word " * 25
    rules = [each.rule for each in in_markdown("x.md", table)]
    assert rules == ["a noun is the subject, not What or Who", "125 characters, at most 120"]

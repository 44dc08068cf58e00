"""Telegram's HTML parse mode: the same strict check of the markup as Telegram's, and the plain text in it."""

from html.parser import HTMLParser

ALLOWED = {
    "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a", "code", "pre",
    "blockquote", "tg-emoji",
}  # fmt: skip


class BadMarkup(ValueError):
    """The text is not valid in HTML parse mode."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED:
            raise BadMarkup(f'Unsupported start tag "{tag}"')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise BadMarkup(f'Unexpected end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def plain_text(markup: str) -> str:
    """Return the text without its tags.

    Raises:
        BadMarkup: a tag is unknown, is not closed, or is closed in the wrong place.
    """
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    if reader.open:
        raise BadMarkup(f'Can\'t find end tag corresponding to start tag "{reader.open[-1]}"')
    return "".join(reader.text)

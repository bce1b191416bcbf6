"""A page of HTML, as a test reads it."""

from html.parser import HTMLParser

VOID = {"meta", "path", "rect", "use", "line", "br"}


class Page(HTMLParser):
    """Fails where tags don't nest; keeps texts, ids and the shapes of each picture."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.pictures: dict[str, int] = {}
        self.links: list[str] = []
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.links += [values[name] for name in ("href", "src", "xlink:href") if values.get(name)]
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "svg":
            assert values["viewbox"]
            self.pictures[values["aria-label"]] = 0
        if tag in {"path", "use"} and "svg" in self.open:
            self.pictures[list(self.pictures)[-1]] += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] not in {"style"}:
            self.text += " " + text

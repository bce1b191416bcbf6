"""A real browser that looks at a page: Chromium or Chrome as the system has it, without a window."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tools.pictures import find_browser

_MISSING = "no browser here: `make browser` installs Chromium (Debian, Ubuntu), or install Chrome yourself"
# A picture has something to show: a path with a length, or an image with a size.
_PICTURES = """() => [...document.querySelectorAll('figure svg')].map(svg => ({
    title: svg.querySelector('title')?.textContent ?? '',
    width: svg.getBoundingClientRect().width,
    right: svg.getBoundingClientRect().right,
    shapes: [...svg.querySelectorAll('path, use, image')].filter(shape => {
        const box = shape.getBBox(); return box.width + box.height > 0; }).length,
    smallest: Math.min(...[...svg.querySelectorAll('text')].map(text => text.getBoundingClientRect().height)),
}))"""


@dataclass(frozen=True)
class Page:
    """What a page looks like.

    Attributes:
        errors: what the browser complained about.
        pictures: of each its title, width and right edge (pixels), number of shapes, and height of its smallest text.
        overflow: by how many pixels the page is wider than the window.
        requests: what it asked for beside itself.
    """

    errors: list[str]
    pictures: list[dict[str, Any]]
    overflow: float
    requests: list[str]


@contextmanager
def open_browser() -> Iterator[Any]:
    """Starts the browser. Without one the tests are skipped, but on the CI systems' machines, which have Chrome."""
    found = find_browser()
    if found is None:
        (pytest.fail if {"GITHUB_ACTIONS", "TF_BUILD"} & set(os.environ) else pytest.skip)(_MISSING)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (not in every environment that has tests)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def look_at(browser: Any, file: Path, width: int, *, printed: bool = False) -> Page:
    """Opens a file in a window of this width (pixels), or as it is printed."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    errors: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    if printed:
        page.emulate_media(media="print")
    page.goto(file.as_uri())
    overflow = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    pictures = page.evaluate(_PICTURES)
    page.close()
    beside = [url for url in requests if url != file.as_uri() and not url.startswith("data:")]
    return Page(errors, pictures, overflow, beside)


def check_report(browser: Any, file: Path, least_pictures: int) -> None:
    """Fails unless a report is legible on a desk, on a phone and in print, and needs nothing beside itself."""
    for width, printed in ((1280, False), (390, False), (700, True)):
        seen = look_at(browser, file, width, printed=printed)
        assert seen.errors == [], (width, seen.errors)
        assert seen.requests == [], (width, seen.requests)
        assert seen.overflow <= 0, (width, seen.overflow)
        assert len(seen.pictures) >= least_pictures, (width, seen.pictures)
        for picture in seen.pictures:
            assert picture["title"], picture
            assert picture["shapes"] > 3, picture  # more than its axes' lines
            assert picture["smallest"] >= 8, picture  # pixels
            assert picture["right"] <= width, picture

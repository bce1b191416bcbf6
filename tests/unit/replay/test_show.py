"""The line of a day."""

from io import StringIO

from rich.console import Console

from replay.days import days
from replay.journal import Entry, Event
from replay.show import Show
from tests.unit.tables import moment


def test_a_day_has_its_champion_the_quality_by_its_title_and_what_happened():
    console = Console(file=StringIO(), width=200)
    qualities = iter((None, 1.5))
    show = Show(2, 0, "MAE", lambda _: next(qualities), console)
    first, second = days(moment("2024-03-01 00:00"), moment("2024-03-03 00:00"), 1)
    entries: list[Entry] = []
    with show.day(first, entries):
        pass
    with show.day(second, entries):
        entries.append(Entry(second.as_of, "monitoring", 1.0, "3", 4, (Event("failure", "no file"),)))
    one, other, event = console.file.getvalue().splitlines()
    assert one.startswith("2024-03-02   no champion   MAE     -   trainings 0   ")
    assert other.startswith("2024-03-03   champion 3   MAE 1.500   trainings 4   ")
    assert event.strip() == "failure: no file"

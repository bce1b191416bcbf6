"""What a kill leaves of the journal is read as what was finished."""

import pytest

from replay.journal import Entry, Event, Journal
from tests.unit.tables import moment

FIRST = Entry(moment("2024-02-02 00:00"), "batch_inference", 4.5, "1", 1, (Event("failure", 'no "orders"\nat all'),))
SECOND = Entry(moment("2024-02-02 00:00"), "monitoring", 3.0, "2", 2)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "journal.jsonl"


def test_there_is_nothing_before_the_first_entry(file):
    assert Journal(file).read() == []


def test_entries_come_back_as_they_were(file):
    Journal(file).add(FIRST)
    Journal(file).add(SECOND)
    assert Journal(file).read() == [FIRST, SECOND]


@pytest.mark.parametrize("lost", [1, 2, 40])
def test_an_entry_that_was_cut_off_counts_for_nothing_and_can_be_written_again(file, lost):
    journal = Journal(file)
    journal.add(FIRST)
    journal.add(SECOND)
    file.write_bytes(file.read_bytes()[:-lost])
    assert journal.read() == [FIRST]
    journal.add(SECOND)
    assert journal.read() == [FIRST, SECOND]

"""The landing folder: what is found in it, and what is said of a folder or a file that is not as it should be."""

from datetime import timedelta
from pathlib import Path

import pytest

from feature_engineering.landing import land, landed_folders, landing_folder, read_landed
from tests.unit.tables import collected, moment

pytestmark = pytest.mark.homes("local", "connect", reason="Spark and the test share a folder")

COLUMNS = ("place", "value", "note")
MONDAY, TUESDAY = moment("2024-07-01"), moment("2024-07-02")
DAY = timedelta(days=1)


def drop(folder: Path, text: str, file: str = "part-0.csv") -> Path:
    """A file as a source lands it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    return folder


@pytest.fixture
def monday(tmp_path):
    return drop(tmp_path / "readings" / "as_of=20240701T000000Z", "place,value,note\nhere,70.5,\nthere,,dry\n")


def test_folders_that_landed_since(tmp_path):
    for day in (3, 1, 2):
        drop(tmp_path / "readings" / f"as_of=2024070{day}T000000Z", "place\n")
    names = [f"as_of=2024070{day}T000000Z" for day in (1, 2, 3)]
    for since, as_of, expected in [
        (None, TUESDAY + DAY, names),
        (None, TUESDAY, names[:2]),
        (MONDAY, TUESDAY, names[1:2]),  # what landed at `since` was read then
        (MONDAY - timedelta(seconds=1), TUESDAY - timedelta(seconds=1), names[:1]),
        (TUESDAY + DAY, TUESDAY + 2 * DAY, []),
    ]:
        assert [folder.name for folder in landed_folders(tmp_path, "readings", since, as_of)] == expected


def test_a_source_that_never_landed_has_no_folders(tmp_path):
    assert landed_folders(landing_folder(tmp_path), "readings", None, MONDAY) == []


def test_rows_are_read_as_text_with_their_landing(spark, monday):
    tuesday = drop(monday.parent / "as_of=20240702T000000Z", "note,more,value,place\nwet,1,x,up\n")
    assert collected(read_landed(spark, [monday, tuesday], COLUMNS).orderBy("landed_as_of", "place")) == [
        {"place": "here", "value": "70.5", "note": None, "landed_as_of": MONDAY},
        {"place": "there", "value": None, "note": "dry", "landed_as_of": MONDAY},
        {"place": "up", "value": "x", "note": "wet", "landed_as_of": TUESDAY},
    ]


def test_what_a_run_lands_is_read_again_and_a_second_run_replaces_it(spark, tmp_path):
    rows = spark.createDataFrame(
        [("here", 70.5, None), ("there", None, 'a "b", c')], "place string, value double, note string"
    )
    land(rows.limit(1), tmp_path, "readings", MONDAY)
    land(rows, tmp_path, "readings", MONDAY)
    (folder,) = landed_folders(tmp_path, "readings", None, MONDAY)
    assert [tuple(row.values()) for row in collected(read_landed(spark, [folder], COLUMNS))] == [
        ("here", "70.5", None, MONDAY),
        ("there", None, 'a "b", c', MONDAY),
    ]


def test_a_day_without_rows_lands_and_is_read(spark, tmp_path):
    nothing = spark.createDataFrame([], "place string, value double, note string")
    land(nothing, tmp_path, "readings", MONDAY)
    (folder,) = landed_folders(tmp_path, "readings", None, MONDAY)
    read = read_landed(spark, [folder], COLUMNS)
    assert read.columns == [*COLUMNS, "landed_as_of"]
    assert read.isEmpty()


def test_a_folder_without_a_file_is_named(spark, tmp_path):
    folder = tmp_path / "readings" / "as_of=20240701T000000Z"
    folder.mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="20240701T000000Z"):
        read_landed(spark, [folder], COLUMNS)


def test_a_missing_column_is_named_with_its_folder(spark, monday):
    tuesday = drop(monday.parent / "as_of=20240702T000000Z", "place,note\nhere,x\n")
    with pytest.raises(ValueError, match=r"'value' .*20240702T000000Z"):
        read_landed(spark, [monday, tuesday], COLUMNS)


def test_a_file_without_even_a_header_lacks_its_columns(spark, monday):
    with pytest.raises(ValueError, match=r"'place' .*20240701T000000Z"):
        read_landed(spark, [drop(monday, "")], COLUMNS)


@pytest.mark.parametrize("text", ["place,note\nup,x\n", "value,place,note\n70,up,x\n"])
def test_a_second_file_with_other_columns_stops_the_read_and_is_named(spark, monday, text):
    drop(monday, text, "part-1.csv")
    with pytest.raises(Exception, match=r"CSV header(.|\n)*part-1\.csv"):
        read_landed(spark, [monday], COLUMNS).collect()

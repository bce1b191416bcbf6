"""A table's log, read from its files, says the same before and after a checkpoint."""

import shutil

import pytest

from local_workspace import delta_log

WRITES = 12  # one more than a checkpoint is made after


@pytest.fixture(scope="module")
def folder(spark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("log") / "t"
    for number in range(WRITES):
        spark.range(number, number + 1).coalesce(1).write.format("delta").mode("append").save(str(folder))
    return folder


@pytest.fixture(scope="module")
def kept(folder, tmp_path_factory):
    """The table without the commits that its checkpoint has."""
    copy = tmp_path_factory.mktemp("kept") / "t"
    shutil.copytree(folder, copy)
    (checkpoint,) = (copy / "_delta_log").glob("*.checkpoint.parquet")
    for commit in (copy / "_delta_log").glob("*.json"):
        if int(commit.stem) <= int(checkpoint.name.partition(".")[0]):
            commit.unlink()
    return copy


def ids(spark, files):
    return sorted(row.id for row in spark.read.parquet(*map(str, files)).collect())


def test_the_files_are_those_of_the_newest_version(spark, folder, kept):
    for place in (folder, kept):
        assert ids(spark, delta_log.files(place)) == list(range(WRITES))


def test_a_file_that_was_removed_is_none_of_them(spark, folder, tmp_path):
    copy = tmp_path / "t"
    shutil.copytree(folder, copy)
    spark.sql(f"DELETE FROM delta.`{copy}` WHERE id = 3")  # noqa: S608 (a folder of our own)
    assert ids(spark, delta_log.files(copy)) == [number for number in range(WRITES) if number != 3]


def test_files_are_counted_as_they_are_read(spark, folder, kept, tmp_path):
    copy = tmp_path / "t"
    shutil.copytree(folder, copy)
    spark.sql(f"DELETE FROM delta.`{copy}` WHERE id >= {WRITES - 2}")  # noqa: S608 (a folder of our own)
    for place, number in ((folder, WRITES), (kept, WRITES), (copy, WRITES - 2)):
        assert delta_log.number_of_files(place) == len(delta_log.files(place)) == number
    (copy / "_delta_log" / "_last_checkpoint").unlink()
    assert delta_log.number_of_files(copy) == len(delta_log.files(copy)) == WRITES - 2


def test_what_changed_after_a_version_is_there_while_its_commits_are(spark, folder):
    added, removed = delta_log.changed_files(folder, WRITES - 3)
    assert (ids(spark, added), removed) == ([WRITES - 2, WRITES - 1], [])
    assert delta_log.changed_files(folder, WRITES - 1) == ([], [])


def test_a_file_that_came_and_went_is_no_change(spark, folder, tmp_path):
    copy = tmp_path / "t"
    shutil.copytree(folder, copy)
    for number in (3, WRITES - 1):
        spark.sql(f"DELETE FROM delta.`{copy}` WHERE id = {number}")  # noqa: S608 (a folder of our own)
    added, removed = delta_log.changed_files(copy, WRITES - 2)
    assert (ids(spark, added) if added else [], ids(spark, removed)) == ([], [3])


def test_versions_and_commits(folder, kept):
    assert delta_log.version(folder) == delta_log.version(kept) == WRITES - 1
    assert [one.version for one in delta_log.commits(folder)] == list(range(WRITES))
    assert delta_log.commits(kept, WRITES - 2)[0].info["operation"] == "WRITE"


def test_metadata_is_found_in_a_checkpoint_too(folder, kept):
    assert delta_log.metadata(folder)["schemaString"] == delta_log.metadata(kept)["schemaString"]
    assert delta_log.metadata(kept)["configuration"] == {}
    assert delta_log.metadata(kept)["partitionColumns"] == []


def test_a_folder_without_a_log_is_no_table(folder, tmp_path):
    assert delta_log.is_table(folder)
    assert not delta_log.is_table(tmp_path)
    assert not delta_log.is_table(tmp_path / "none")

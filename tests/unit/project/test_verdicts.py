"""A verdict comes back as it was written, and an edit of row or tag shows."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from mlflow import MlflowClient
from pyspark.sql import SparkSession

from project.tables import Tables
from project.verdicts import FiledVerdict, Verdict, read_newest_verdict, read_verdict, write_verdict
from tests.unit.tables import InputTables, changed_rows

MODEL = "spark_catalog.verdicts_test.arrival_delay"
JULY, AUGUST = datetime(2024, 7, 1, tzinfo=UTC), datetime(2024, 8, 1, tzinfo=UTC)
GATES = '[{"name": "log loss", "sentence": "größer als \\"0.5\\"; it\'s \\\\n"}]'
VERDICT = Verdict(MODEL, "1", None, True, GATES, "abc123", AUGUST, JULY, AUGUST)


Found = Callable[..., FiledVerdict | None]
SCHEMA = (
    "model_name string, model_version string, champion_version string, passed boolean, gates string, "
    "git_commit string, as_of timestamp, window_start timestamp, window_end timestamp, digest string"
)


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> Iterator[Tables]:
    spark.sql("CREATE SCHEMA spark_catalog.verdicts_test")
    yield Tables("spark_catalog", "verdicts_test")
    spark.sql("DROP SCHEMA spark_catalog.verdicts_test CASCADE")


@pytest.fixture(scope="module")
def client(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> MlflowClient:
    client = MlflowClient()
    client.create_registered_model(MODEL)
    for _ in range(3):
        client.create_model_version(MODEL, tmp_path_factory.mktemp("model").as_uri())
    return client


@pytest.fixture
def found(spark: SparkSession, inputs: InputTables, client: MlflowClient) -> Iterator[Found]:
    """Files the verdict with some fields edited, and finds it again."""
    spark.sql("CREATE SCHEMA IF NOT EXISTS spark_catalog.edited_verdicts")
    edited = Tables("spark_catalog", "edited_verdicts")
    for tag, value in VERDICT.tags.items():
        client.set_model_version_tag(MODEL, "1", tag, value)

    def find(*rows: dict[str, Any]) -> FiledVerdict | None:
        filed = [tuple((asdict(VERDICT) | {"digest": VERDICT.digest} | edits).values()) for edits in rows]
        inputs.write(edited.validation_verdicts, filed, SCHEMA)
        return read_verdict(spark, edited, MODEL, "1", AUGUST)

    yield find
    spark.sql("DROP SCHEMA spark_catalog.edited_verdicts CASCADE")


def test_the_digest_covers_every_field() -> None:
    changed = {
        "model_name": "m",
        "model_version": "2",
        "champion_version": "None",
        "passed": False,
        "gates": "[]",
        "git_commit": "",
        "as_of": AUGUST + timedelta(microseconds=1),
        "window_start": JULY - timedelta(days=1),
        "window_end": JULY,
    }
    digests = {replace(VERDICT, **{name: value}).digest for name, value in changed.items()}
    assert len(digests | {VERDICT.digest}) == 10
    assert set(changed) == set(VERDICT.__dataclass_fields__)


def test_the_digest_is_the_same_in_every_time_zone() -> None:
    there = timezone(timedelta(hours=-4))
    assert replace(VERDICT, as_of=AUGUST.astimezone(there)).digest == VERDICT.digest


def test_a_verdict_comes_back_as_it_was_written_also_a_second_time(spark, tables, client) -> None:
    write_verdict(spark, tables, VERDICT, {"validation_roc_auc": "0.7581"})
    with changed_rows(spark, tables.validation_verdicts) as changed:
        write_verdict(spark, tables, VERDICT, {"validation_roc_auc": "0.7581"})
    assert changed == {tables.validation_verdicts: 0}
    filed = read_verdict(spark, tables, MODEL, "1", AUGUST)
    assert filed is not None
    assert (filed.verdict, filed.digest, filed.fault) == (VERDICT, VERDICT.digest, "")
    tags = client.get_model_version(MODEL, "1").tags
    assert tags["validation"] == "passed"
    assert tags["validation_as_of"] == "2024-08-01T00:00:00+00:00"
    assert tags["validation_digest"] == VERDICT.digest
    assert tags["validation_roc_auc"] == "0.7581"


def test_the_newest_is_the_one_of_the_latest_moment(spark, tables, client) -> None:
    write_verdict(spark, tables, VERDICT)
    later = replace(VERDICT, passed=False, champion_version="2", as_of=AUGUST + timedelta(days=31))
    write_verdict(spark, tables, later)
    write_verdict(spark, tables, replace(VERDICT, model_version="3", as_of=AUGUST + timedelta(days=90)))
    newest = read_newest_verdict(spark, tables, MODEL, "1")
    assert newest is not None
    assert (newest.verdict, newest.fault) == (later, "")
    older = read_verdict(spark, tables, MODEL, "1", AUGUST)
    assert older is not None
    assert older.fault == "its tags do not match its verdict: validation, validation_as_of, validation_digest"


def test_no_verdict_is_none(spark, client, found) -> None:
    edited = {"model_version": "2"}, {"model_name": "spark_catalog.other.arrival_delay"}, {"as_of": JULY}
    assert found(*edited) is None
    assert read_newest_verdict(spark, Tables("spark_catalog", "no_such_schema"), MODEL, "1") is None


@pytest.mark.parametrize(
    "edit",
    [
        {"passed": False},
        {"gates": "[]"},
        {"git_commit": "def456"},
        {"champion_version": "2"},
        {"window_start": JULY - timedelta(days=1)},
        {"digest": None},
        {"digest": "0" * 64},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_an_edited_row_shows(found, edit) -> None:
    assert found(edit).fault == "the row of its verdict was edited: it does not match its digest"
    assert found({}).fault == ""


def test_a_row_that_was_edited_together_with_its_digest_shows_by_the_tags(client, found) -> None:
    for tag, value in replace(VERDICT, passed=False).tags.items():
        client.set_model_version_tag(MODEL, "1", tag, value)
    assert found({}).fault == "its tags do not match its verdict: validation, validation_digest"


@pytest.mark.parametrize("tag", ["validation", "validation_as_of", "validation_digest"])
def test_an_edited_or_missing_tag_shows(client, found, tag) -> None:
    client.set_model_version_tag(MODEL, "1", tag, "failed")
    assert found({}).fault == f"its tags do not match its verdict: {tag}"
    client.delete_model_version_tag(MODEL, "1", tag)
    assert found({}).fault == f"its tags do not match its verdict: {tag}"


def test_a_second_row_of_one_moment_shows(found) -> None:
    assert found({}, {}).fault == "its verdict is filed 2 times"

"""The verdict on a model version: one row, tags on the version, and a digest that shows whether either was edited."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from mlflow import MlflowClient
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from project.delta import upsert
from project.rows import one_row
from project.tables import Tables

DIGEST_TAG = "validation_digest"
_KEY = ("model_name", "model_version", "as_of")
_COLUMNS = {
    "model_name": "string",
    "model_version": "string",
    "champion_version": "string",
    "passed": "boolean",
    "gates": "string",
    "git_commit": "string",
    "as_of": "timestamp",
    "window_start": "timestamp",
    "window_end": "timestamp",
    "digest": "string",
}


@dataclass(frozen=True)
class Verdict:
    """What validation found about one version as of one moment.

    Attributes:
        model_name: full name of the registered model.
        model_version: the judged version.
        champion_version: the champion that it was compared with; None where there was none.
        passed: True if every gate has passed.
        gates: the outcome of each gate, as JSON.
        git_commit: the code that judged.
        as_of: nothing later was known (UTC).
        window_start: first moment of the rows that it was judged on (UTC).
        window_end: the end of the window, not in it (UTC).
    """

    model_name: str
    model_version: str
    champion_version: str | None
    passed: bool
    gates: str
    git_commit: str
    as_of: datetime
    window_start: datetime
    window_end: datetime

    @property
    def digest(self) -> str:
        """SHA-256 over all fields, in hexadecimal; the same for the same moment in any time zone."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, default=_canonical)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def tags(self) -> dict[str, str]:
        """What a version says about its newest verdict; the digest is the last."""
        return {
            "validation": "passed" if self.passed else "failed",
            "validation_as_of": _canonical(self.as_of),
            DIGEST_TAG: self.digest,
        }


@dataclass(frozen=True)
class FiledVerdict:
    """A verdict as it was found.

    Attributes:
        verdict: what the row says.
        digest: the row's own digest.
        tags: all tags of the version.
        rows: how many rows there are of this version and moment.
    """

    verdict: Verdict
    digest: str | None
    tags: Mapping[str, str]
    rows: int = 1

    @property
    def fault(self) -> str:
        """What shows that row or tags are not as they were written, in words; empty where all of it agrees."""
        if self.rows != 1:
            return f"its verdict is filed {self.rows} times"
        if self.digest != self.verdict.digest:
            return "the row of its verdict was edited: it does not match its digest"
        wrong = sorted(name for name, value in self.verdict.tags.items() if self.tags.get(name) != value)
        return f"its tags do not match its verdict: {', '.join(wrong)}" if wrong else ""


def write_verdict(
    spark: SparkSession, tables: Tables, verdict: Verdict, figures: Mapping[str, str] | None = None
) -> None:
    """Writes the row, then the tags. One that was cut off in between has a fault until it is written again.

    Args:
        spark: the session.
        tables: the row goes to `validation_verdicts`.
        verdict: the verdict.
        figures: more tags to put on the version, such as the figures behind the verdict.
    """
    row = one_row(spark, _COLUMNS, asdict(verdict) | {"digest": verdict.digest})
    upsert(spark, tables.validation_verdicts, row, _KEY)
    client = MlflowClient()
    for key, value in ({**(figures or {})} | verdict.tags).items():
        client.set_model_version_tag(verdict.model_name, verdict.model_version, key, value)


def read_verdict(
    spark: SparkSession, tables: Tables, model_name: str, model_version: str, as_of: datetime
) -> FiledVerdict | None:
    """The verdict on a version as of a moment; None where it has none."""
    return _read(spark, tables, model_name, model_version, F.col("as_of") == F.lit(as_of))


def read_newest_verdict(
    spark: SparkSession, tables: Tables, model_name: str, model_version: str
) -> FiledVerdict | None:
    """The verdict on a version as of the latest moment; None where it has none."""
    return _read(spark, tables, model_name, model_version, F.lit(True))


def _read(
    spark: SparkSession, tables: Tables, model_name: str, model_version: str, condition: Column
) -> FiledVerdict | None:
    if not spark.catalog.tableExists(tables.validation_verdicts):
        return None
    own = (F.col("model_name") == model_name) & (F.col("model_version") == model_version) & condition
    filed = spark.table(tables.validation_verdicts).filter(own).select(*_COLUMNS)
    # Through Arrow, a moment keeps its zone; collected, it would be in this process's.
    found: list[dict[str, Any]] = filed.orderBy(F.desc("as_of")).limit(2).toArrow().to_pylist()
    if not found:
        return None
    rows = sum(row["as_of"] == found[0]["as_of"] for row in found)
    fields = {name: _in_utc(value) for name, value in found[0].items()}
    digest = fields.pop("digest")
    tags = MlflowClient().get_model_version(model_name, model_version).tags
    return FiledVerdict(Verdict(**fields), digest, tags, rows)


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _canonical(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()

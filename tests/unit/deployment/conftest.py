"""A registered model of each test's own, its verdicts, and the two ways to move its champion."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from itertools import count
from typing import Any

import pytest
from mlflow import MlflowClient
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from deployment.model_deployment.promotion import promote, propose
from deployment.model_deployment.record import COLUMNS, Action, Entry, Status
from deployment.model_deployment.rollback import roll_back
from project.config import load_config
from project.delta import ensure_table
from project.registry import CHALLENGER, CHAMPION, champion_version, version_of
from project.rows import one_row
from project.tables import Tables, plain
from project.verdicts import Verdict
from tests.homes import Home
from tests.unit.tables import InputTables, collected

JULY, AUGUST, SEPTEMBER = (datetime(2024, month, 1, tzinfo=UTC) for month in (7, 8, 9))
# A version is judged on July.
CONFIG = load_config(validation_days="31")
COMMIT = "abc123"
VERDICTS = (
    "model_name string, model_version string, champion_version string, passed boolean, gates string, "
    "git_commit string, as_of timestamp, window_start timestamp, window_end timestamp, digest string"
)
_SCENES = count(1)
_RUNS = count(1)


@dataclass
class Scene:
    """One model, and what a test does with it."""

    spark: SparkSession
    tables: Tables
    inputs: InputTables
    model: str
    files: str

    @property
    def client(self) -> MlflowClient:
        return MlflowClient()

    @property
    def champion(self) -> str | None:
        return champion_version(self.model)

    @property
    def challenger(self) -> str | None:
        return version_of(self.model, CHALLENGER)

    def register(self, *, challenges: bool = True) -> str:
        """A new version."""
        version = str(self.client.create_model_version(self.model, self.files).version)
        if challenges:
            self.client.set_registered_model_alias(self.model, CHALLENGER, version)
        return version

    def verdict(self, version: str, champion: str | None, **fields: Any) -> Verdict:
        """A passed verdict, as of 1 August on July, but for the given fields."""
        passed = Verdict(self.model, version, champion, True, "[]", COMMIT, AUGUST, JULY, AUGUST)
        return replace(passed, **fields)

    def file(self, *verdicts: Verdict, **edits: Any) -> None:
        """Makes these the only verdicts, with some columns edited then; a version has its last verdict's tags."""
        rows = [tuple((asdict(verdict) | {"digest": verdict.digest} | edits).values()) for verdict in verdicts]
        self.inputs.write(self.tables.validation_verdicts, rows, VERDICTS)
        for verdict in verdicts:
            for tag, value in verdict.tags.items():
                self.client.set_model_version_tag(verdict.model_name, verdict.model_version, tag, value)

    def promote(self, version: str, as_of: datetime = AUGUST, commit: str = COMMIT, approval: str = "auto") -> str:
        """A run of the promotion task."""
        candidate = propose(self.model, version, as_of, commit, CONFIG)
        return promote(self.spark, self.tables, candidate, approval, "approval", "11", str(next(_RUNS)))

    def roll_back(self, reason: str = "it is wrong", run_id: str | None = None) -> str:
        """A run of the rollback task."""
        run = str(next(_RUNS)) if run_id is None else run_id
        return roll_back(self.spark, self.tables, self.model, reason, AUGUST, COMMIT, "12", run)

    def champions(self, *versions: str) -> None:
        """A past in which these versions were promoted one after another, as its record and alias tell it."""
        past = [
            asdict(Entry(self.model, Action.PROMOTION, version, former, Status.DONE, "", move=move, token=version))
            for move, (former, version) in enumerate(zip((None, *versions), versions, strict=False), start=1)
        ]
        rows = [one_row(self.spark, COLUMNS, entry) for entry in past]
        dated = reduce(DataFrame.union, rows).withColumns({"by": F.current_user(), "at": F.current_timestamp()})
        ensure_table(self.spark, self.tables.promotions, dated.schema)
        dated.write.format("delta").mode("append").saveAsTable(self.tables.promotions)
        self.client.set_registered_model_alias(self.model, CHAMPION, versions[-1])

    def rows(self) -> list[dict[str, Any]]:
        """What ended of this model's record, in order: one row a move."""
        own = self.spark.table(self.tables.promotions).filter(F.col("model_name") == self.model)
        return collected(own.filter("status <> 'started'").orderBy("move"))

    def moves(self) -> list[tuple[str, str, str | None, str | None]]:
        """The same in short: action, status, former champion, version."""
        return [(row["action"], row["status"], row["former_champion"], row["model_version"]) for row in self.rows()]

    def is_true(self) -> bool:
        """Whether the moves follow from one another, and lead to the champion."""
        champion = None
        for row in self.rows():
            if row["former_champion"] != champion and row["status"] == "done":
                return False
            champion = row["model_version"] if row["status"] == "done" else champion
        return champion == self.champion


@pytest.fixture(scope="package")
def make_scene(
    home: Home, spark: SparkSession, inputs: InputTables, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Scene]]:
    """Each has a schema of its own: a table that many tests add to takes long to read."""
    with ExitStack() as schemas:

        def make() -> Scene:
            tables = schemas.enter_context(home.schema(spark, f"deployment_{next(_SCENES)}"))
            model = plain(tables.named("arrival_delay"))
            MlflowClient().create_registered_model(model)
            return Scene(spark, tables, inputs, model, tmp_path_factory.mktemp("model").as_uri())

        yield make


@pytest.fixture
def scene(make_scene: Callable[[], Scene]) -> Scene:
    return make_scene()

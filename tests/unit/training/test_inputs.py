"""A fork's own inputs of any type: trained on without a gap, scored and served with NULLs; or refused by name."""

import json
import math
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from pyspark.sql import functions as F
from pyspark.sql.types import StructType
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from deployment.batch_inference.scoring import score
from deployment.model_serving.smoke import score_some
from feature_engineering.definitions import FeatureTable, Input
from feature_engineering.fill import Orders, bring
from feature_engineering.progress import Progress
from project.config import Config, load_config
from project.inputs import check_inputs
from project.registry import CHAMPION
from project.tables import Tables
from project.verdicts import read_newest_verdict
from tests.unit.tables import collected, moment
from training import lookups
from training.train import train, with_parameters
from use_case import model
from validation.validate import validate

pytestmark = pytest.mark.homes("local", "connect", reason="about the stand-in too, which never reaches a workspace")

START, AS_OF = moment("2024-01-01"), moment("2024-02-12")
HOUR = timedelta(hours=1)
UNKNOWN = "V0"  # a van of which nothing is known, that is asked about after the training alone
KINDS = {"seats": "int", "miles": "bigint", "is_leased": "boolean", "tonnes": "decimal(6,2)", "age": "float"}
# The key has two columns, and one of them is an input too.
SUBJECT = {
    "noun": "trip",
    "plural": "trips",
    "table": "trips",
    "key": ["depot", "number"],
    "event_time": "starts_at",
    "prediction_time": "asked_at",
    "lookup_keys": ["van"],
}
SCHEDULE = {"numeric": ["stops", "is_holiday"], "categorical": ["dock", "is_express", "depot"]}


def garage_features(vans, as_of):
    return vans.filter(F.col("known_at") <= F.lit(as_of)).select("van", "known_at", *KINDS)


GARAGE = FeatureTable("garage_features", ("van",), Input("garage", "known_at"), garage_features, reach=HOUR)


@dataclass(frozen=True)
class Scene:
    """A trained version, and the moment after which NULLs come."""

    tables: Tables
    model: str
    version: str
    config: Config


def make_config(**schedule: list[str]) -> Config:
    content = load_config().model_dump()
    content["subject"] = SUBJECT
    content["label"] |= {"column": "full"}
    content["request_features"] = SCHEDULE | schedule
    content["slices"] = ["depot"]
    content["validation"]["slices"]["bands"] = []
    content["validation"]["behaviour"] |= {"worse": [], "irrelevant": [], "unseen": ["depot"]}
    content["validation"]["data"]["null_rates"] = {}
    content["monitoring"]["drift"]["ignored"] = []
    content["training"] |= {"validation_days": 7}
    content["training"]["model"] |= {"max_iter": 40, "min_samples_leaf": 20}
    return Config.model_validate(content)


def write(spark, name, rows, schema):
    spark.createDataFrame(rows, schema).write.format("delta").mode("overwrite").saveAsTable(name)


@pytest.fixture(scope="module")
def scene(home, spark, workspace):
    with home.schema(spark, "inputs") as tables, pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookups, "FEATURE_TABLES", (GARAGE,))
        write_sources(spark, tables)
        bring(spark, tables, GARAGE, AS_OF, Orders((), "refuse", timedelta(days=99)), Progress(spark, tables))
        name = f"{tables.catalog}.{tables.schema}.full"
        mlflow.create_experiment("inputs", workspace.artifacts.as_uri())
        config = make_config()
        with threadpool_limits(limits=1):  # a few hundred rows are no work to share
            version = train(spark, tables, name, "inputs", AS_OF, "a commit", config)
        yield Scene(tables, name, version, config)


def write_sources(spark, tables):
    """Trips whose label follows from their inputs; the last ones lack all that they can lack."""
    random = np.random.default_rng(1)
    trips, labels = [], []
    for number in range(840):
        at = START + number * timedelta(minutes=70)
        stops, dock, kind = (int(random.integers(n)) for n in (3, 4, 5))
        known = (stops, stops == 1, dock, dock == 2) if number < 830 else (None,) * 4
        van = f"V{1 + kind}" if number < 830 else UNKNOWN
        depot = "north" if number % 2 else "south"  # of each, the numbers count from 0
        trips.append((depot, number // 2, at, at - 2 * HOUR, van, *known, at.date()))
        labels.append((depot, number // 2, at + HOUR, float(stops + dock + kind + random.normal() > 4.5), "closed"))
    schedule = "stops int, is_holiday boolean, dock int, is_express boolean, day date"
    head = "depot string, number int, starts_at timestamp, asked_at timestamp, van string"
    write(spark, tables.named(SUBJECT["table"]), trips, f"{head}, {schedule}")
    write(spark, tables.labels, labels, "depot string, number int, known_at timestamp, full double, outcome string")
    vans = [(f"V{1 + n}", START - HOUR, START, 100 + n, 2**40 + n, n > 2, n / 4, n / 2) for n in range(5)]
    vans.append((UNKNOWN, START - HOUR, START, *[None] * 5))
    kinds = ", ".join(f"{name} {kind}" for name, kind in KINDS.items()).replace("decimal(6,2)", "double")
    rows = spark.createDataFrame(vans, f"van string, known_at timestamp, ingested_as_of timestamp, {kinds}")
    typed = rows.withColumns({name: F.col(name).cast(kind) for name, kind in KINDS.items()})
    typed.write.format("delta").saveAsTable(tables.named("garage"))


def test_what_a_model_learns_from_is_a_double_or_a_string(scene):
    expected = dict.fromkeys([*SCHEDULE["numeric"], *KINDS], "double") | dict.fromkeys(
        SCHEDULE["categorical"], "string"
    )
    folder = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{scene.model}/{scene.version}")
    for logged in (folder, f"{folder}/data/feature_store/raw_model"):
        inputs = mlflow.models.get_model_info(logged).signature.inputs.input_dict()
        kinds = {name: spec.type.name for name, spec in inputs.items()}
        assert kinds.items() >= expected.items()
    assert kinds == expected, "the model itself gets no key, no moment and no label"


def test_a_version_has_the_code_of_its_model_under_a_name_of_its_own(scene):
    folder = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{scene.model}/{scene.version}")
    raw_model = Path(folder) / "data" / "feature_store" / "raw_model"
    (code,) = (raw_model / "code").rglob("*.py")
    assert code.read_text() == Path(model.__file__).read_text()
    assert type(mlflow.sklearn.load_model(str(raw_model))).__module__ == code.stem


def test_a_batch_with_nulls_is_scored(spark, scene):
    asked = timedelta(days=3)
    score(spark, scene.tables, scene.model, scene.version, AS_OF - 20 * HOUR, asked, scene.config)
    scored = collected(spark.table(scene.tables.predictions))
    unknown = [row for row in scored if row["stops"] is None]
    assert (len(unknown), len(unknown) < len(scored)) == (10, True)
    assert all(row[name] is None for row in unknown for name in KINDS)
    assert all(0 < row["prediction"] < 1 for row in scored)
    known = next(row for row in scored if row["dock"] == "2")
    assert (known["is_express"], known["is_holiday"]) == ("true", float(known["stops"] == 1))
    assert len({round(row["prediction"], 6) for row in scored}) > 5, "the inputs count"


def test_an_endpoint_answers_with_nulls_what_the_batch_has(spark, scene):
    from local_workspace.serving.requests import parse  # noqa: PLC0415 (the workspace sets its path)
    from local_workspace.serving.served_model import load_version  # noqa: PLC0415

    config = scene.config.model_copy(update={"serving": scene.config.serving.model_copy(update={"smoke_rows": 15})})
    scored = score_some(spark, scene.tables, scene.model, scene.version, AS_OF, config)
    sent = scored.drop(columns="prediction").astype(object).where(scored.notna(), None)
    assert sent["seats"].isna().sum() == 10
    body = json.dumps({"dataframe_records": sent.to_dict("records")}).encode()
    served = load_version(scene.model, scene.version)
    answers = served.predict(served.complete(parse(body)[0], {}))
    assert answers == pytest.approx(scored["prediction"].tolist(), abs=1e-12)
    assert not any(map(math.isnan, answers))


def test_two_versions_are_compared_on_the_same_rows(spark, scene):
    """By all columns of the key: a number alone is that of two trips."""
    MlflowClient().set_registered_model_alias(scene.model, CHAMPION, scene.version)
    config = with_parameters(scene.config, scene.config.training.model | {"max_iter": 2})
    challenger = train(spark, scene.tables, scene.model, "inputs", AS_OF, "a commit", config)
    validate(spark, scene.tables, scene.model, challenger, AS_OF, "a commit", config)
    filed = read_newest_verdict(spark, scene.tables, scene.model, challenger)
    gates = {gate["name"]: gate["sentence"] for gate in json.loads(filed.verdict.gates)}
    scored = spark.table(scene.tables.validation_scores).toPandas()
    assert scored.groupby("model_version").size().to_dict() == {scene.version: 120, challenger: 120}
    own, other = (
        f"{roc_auc_score(rows['full'], rows['prediction']):.4f}"
        for rows in (scored[scored["model_version"] == version] for version in (challenger, scene.version))
    )
    assert own != other
    assert gates["roc_auc against champion"].startswith(f"roc_auc is {own}, the champion's on the same trips {other}: ")
    assert gates["fresh process"] == "it loads in a fresh process, with its requirements alone"


def test_training_refuses_another_type_by_name(spark, scene):
    with pytest.raises(TypeError, match=r"'day' is date, .* such as the days since a date"):
        train(spark, scene.tables, scene.model, "inputs", AS_OF, "", make_config(numeric=["stops", "day"]))


@pytest.mark.parametrize("kind", ["date", "timestamp", "string", "array<double>", "int"])
def test_what_is_no_number_is_no_input(kind):
    with pytest.raises(TypeError, match=f"the input 'x' is {kind}, "):
        check_inputs(StructType.fromDDL(f"y double, x {kind}, c string"), ["c"])


@pytest.mark.parametrize("kind", ["double", "date"])
def test_what_is_no_code_is_no_category(kind):
    with pytest.raises(TypeError, match=f"the category 'c' is {kind}: "):
        check_inputs(StructType.fromDDL(f"y double, c {kind}"), ["c"])

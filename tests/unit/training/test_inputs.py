"""A fork's own inputs of any type: trained on without a gap, scored and served with NULLs; or refused by name."""

import json
import math
from dataclasses import dataclass
from datetime import timedelta

import mlflow
import numpy as np
import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import StructType
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from deployment.batch_inference.scoring import score
from deployment.model_serving.smoke import score_some
from feature_engineering.definitions import FeatureTable, Input
from feature_engineering.fill import Orders, bring
from feature_engineering.progress import Progress
from project.config import Config, load_config
from project.inputs import check_inputs
from project.tables import Tables
from tests.unit.tables import collected, moment
from training import lookups
from training.train import train

pytestmark = pytest.mark.homes("local", "connect", reason="about the stand-in too, which never reaches a workspace")

START, AS_OF = moment("2013-01-01"), moment("2013-02-12")
HOUR = timedelta(hours=1)
UNKNOWN = "N0"  # an aircraft of which nothing is known, that is asked about after the training alone
KINDS = {"seats": "int", "miles": "bigint", "is_leased": "boolean", "tonnes": "decimal(6,2)", "age": "float"}
SCHEDULE = {"numeric": ["stops", "is_holiday"], "categorical": ["terminal", "is_shuttle", "carrier"]}


def hangar_features(planes, as_of):
    return planes.filter(F.col("known_at") <= F.lit(as_of)).select("tailnum", "known_at", *KINDS)


HANGAR = FeatureTable("hangar_features", ("tailnum",), Input("hangar", "known_at"), hangar_features, reach=HOUR)


@dataclass(frozen=True)
class Scene:
    """A trained version, and the moment after which NULLs come."""

    tables: Tables
    model: str
    version: str
    config: Config


def make_config(**schedule: list[str]) -> Config:
    content = load_config().model_dump()
    content["schedule_features"] = SCHEDULE | schedule
    content["slices"] = ["carrier"]
    content["validation"]["slices"]["bands"] = []
    content["validation"]["behaviour"] |= {"worse": [], "irrelevant": [], "unseen": ["carrier"]}
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
        patch.setattr(lookups, "FEATURE_TABLES", (HANGAR,))
        write_sources(spark, tables)
        bring(spark, tables, HANGAR, AS_OF, Orders((), "refuse", timedelta(days=99)), Progress(spark, tables))
        model = f"{tables.catalog}.{tables.schema}.delay"
        mlflow.create_experiment("inputs", workspace.artifacts.as_uri())
        config = make_config()
        with threadpool_limits(limits=1):  # a few hundred rows are no work to share
            version = train(spark, tables, model, "inputs", AS_OF, "a commit", config)
        yield Scene(tables, model, version, config)


def write_sources(spark, tables):
    """Flights whose lateness follows from their inputs; the last ones lack all that they can lack."""
    random = np.random.default_rng(1)
    flights, labels = [], []
    for number in range(840):
        at = START + number * timedelta(minutes=70)
        stops, terminal, plane = (int(random.integers(n)) for n in (3, 4, 5))
        known = (stops, stops == 1, terminal, terminal == 2, "UA") if number < 830 else (None,) * 5
        tailnum = f"N{1 + plane}" if number < 830 else UNKNOWN
        flights.append((str(number), at, at - 2 * HOUR, tailnum, *known, at.date()))
        labels.append((str(number), at + HOUR, float(stops + terminal + plane + random.normal() > 4.5), "arrived"))
    schedule = "stops int, is_holiday boolean, terminal int, is_shuttle boolean, carrier string, day date"
    head = "flight_id string, sched_dep_at timestamp, prediction_at timestamp, tailnum string"
    write(spark, tables.flights, flights, f"{head}, {schedule}")
    write(spark, tables.labels, labels, "flight_id string, known_at timestamp, late double, outcome string")
    planes = [(f"N{1 + n}", START - HOUR, START, 100 + n, 2**40 + n, n > 2, n / 4, n / 2) for n in range(5)]
    planes.append((UNKNOWN, START - HOUR, START, *[None] * 5))
    kinds = ", ".join(f"{name} {kind}" for name, kind in KINDS.items()).replace("decimal(6,2)", "double")
    rows = spark.createDataFrame(planes, f"tailnum string, known_at timestamp, ingested_as_of timestamp, {kinds}")
    typed = rows.withColumns({name: F.col(name).cast(kind) for name, kind in KINDS.items()})
    typed.write.format("delta").saveAsTable(tables.named("hangar"))


def test_what_a_model_learns_from_is_a_double_or_a_string(scene):
    expected = dict.fromkeys([*SCHEDULE["numeric"], *KINDS], "double") | dict.fromkeys(
        SCHEDULE["categorical"], "string"
    )
    folder = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{scene.model}/{scene.version}")
    for logged in (folder, f"{folder}/data/feature_store/raw_model"):
        inputs = mlflow.models.get_model_info(logged).signature.inputs.input_dict()
        kinds = {name: spec.type.name for name, spec in inputs.items()}
        assert kinds.items() >= expected.items()


def test_a_batch_with_nulls_is_scored(spark, scene):
    asked = timedelta(days=3)
    score(spark, scene.tables, scene.model, scene.version, AS_OF - 20 * HOUR, asked, scene.config)
    scored = collected(spark.table(scene.tables.predictions))
    unknown = [row for row in scored if row["stops"] is None]
    assert (len(unknown), len(unknown) < len(scored)) == (10, True)
    assert all(row[name] is None for row in unknown for name in KINDS)
    assert all(0 < row["prediction"] < 1 for row in scored)
    known = next(row for row in scored if row["terminal"] == "2")
    assert (known["is_shuttle"], known["is_holiday"]) == ("true", float(known["stops"] == 1))
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

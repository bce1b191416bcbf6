"""The smoke query: an endpoint must answer as batch scoring does, before a version gets the traffic."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from databricks.feature_engineering import FeatureEngineeringClient
from databricks.sdk import WorkspaceClient
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from project.config import Config
from project.rows import FILE_COLUMNS, LOOKUP_COLUMNS, request_rows
from project.tables import Tables

_MOMENT = "prediction_at"


class SmokeQueryError(Exception):
    """An endpoint does not answer, or not as batch scoring does."""


def score_some(
    spark: SparkSession, tables: Tables, model_name: str, version: str, as_of: datetime, config: Config
) -> pd.DataFrame:
    """Batch scores of the flights that were asked about last, with the features that were looked up for them.

    Returns:
        At most `serving.smoke_rows` rows: keys, schedule, features, `prediction`.
    """
    asked = spark.table(tables.flights).filter(F.col(_MOMENT) <= F.lit(as_of))
    last = asked.orderBy(F.desc(_MOMENT), "flight_id").limit(config.serving.smoke_rows)
    scored = FeatureEngineeringClient().score_batch(
        model_uri=f"models:/{model_name}/{version}", df=request_rows(last, config)
    )
    return scored.drop(*FILE_COLUMNS, _MOMENT).toPandas()


def check_answers(
    client: WorkspaceClient, endpoint: str, served: str, scored: pd.DataFrame, config: Config, *, looks_up: bool
) -> None:
    """Asks one served version about rows that batch scoring has scored.

    With all features in the request the answers must be batch scoring's. Where the endpoint looks features up, it is
    also asked with keys and schedule alone: it then takes each key's latest features, where batch scoring takes those
    known at each flight's own moment, so these answers need only be numbers.

    Args:
        client: of the workspace.
        endpoint: its name.
        served: the name of the served version in it.
        scored: what `score_some` gave for that version.
        config: names the prediction, and how far answers may be apart.
        looks_up: whether the endpoint has an online store.

    Raises:
        SmokeQueryError: an answer is missing or wrong; it says which.
    """
    if scored.empty:
        raise SmokeQueryError("there are no flights to ask the endpoint about")
    expected = scored[config.prediction.column].tolist()
    inputs = scored.drop(columns=config.prediction.column)
    answers = _ask(client, endpoint, served, inputs)
    wrong = [
        f"row {row}: {answer} instead of {batch}"
        for row, (answer, batch) in enumerate(zip(answers, expected, strict=True))
        if not math.isclose(answer, batch, rel_tol=0, abs_tol=config.serving.smoke_tolerance)
    ]
    if wrong:
        raise SmokeQueryError(f"{served} answers differently from batch scoring in {len(wrong)} rows: {wrong[0]}")
    if looks_up:
        keys = [name for name in LOOKUP_COLUMNS if name != _MOMENT]
        _ask(client, endpoint, served, inputs[[*keys, *config.schedule_features.all]])


def _ask(client: WorkspaceClient, endpoint: str, served: str, rows: pd.DataFrame) -> Sequence[float]:
    """The answers, a number each. The SDK's own `query` leaves the choice of the version to the traffic."""
    body = {"dataframe_split": {"columns": list(rows.columns), "data": _plain(rows)}}
    answer: Any = client.api_client.do(
        "POST", f"/serving-endpoints/{endpoint}/served-models/{served}/invocations", body=body
    )
    predictions: list[float] = answer["predictions"]
    if len(predictions) != len(rows) or not all(map(math.isfinite, predictions)):
        raise SmokeQueryError(
            f"{served} must answer one number per row, {len(rows)} in all, and answered: {predictions}"
        )
    return predictions


def _plain(rows: pd.DataFrame) -> list[list[Any]]:
    """Values as JSON has them: what is unknown is null."""
    plain: list[list[Any]] = rows.astype(object).where(rows.notna(), None).to_numpy().tolist()
    return plain

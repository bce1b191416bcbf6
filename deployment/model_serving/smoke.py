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
from project.rows import request_rows
from project.tables import Tables


class SmokeQueryError(Exception):
    """An endpoint does not answer, or not as batch scoring does."""


def score_some(
    spark: SparkSession, tables: Tables, model_name: str, version: str, as_of: datetime, config: Config
) -> pd.DataFrame:
    """Batch scores of what was asked about last, with the features that were looked up for them.

    Returns:
        At most `serving.smoke_rows` rows: lookup keys, request features, looked up features, `prediction`.
    """
    subject, moment = config.subject, F.col(config.subject.prediction_time)
    asked = spark.table(tables.named(subject.table)).filter(moment <= F.lit(as_of))
    last = asked.orderBy(moment.desc(), *subject.key).limit(config.serving.smoke_rows)
    scored = FeatureEngineeringClient().score_batch(
        model_uri=f"models:/{model_name}/{version}", df=request_rows(last, config)
    )
    unasked = [name for name in config.filed_columns if name not in subject.lookup_keys]
    return scored.drop(*unasked).toPandas()


def check_answers(
    client: WorkspaceClient, endpoint: str, served: str, scored: pd.DataFrame, config: Config, *, looks_up: bool
) -> None:
    """Asks one served version about rows that batch scoring has scored.

    With all features in the request the answers must be batch scoring's. Where the endpoint looks features up, it is
    also asked with keys and request features alone: it then takes each key's latest features, where batch scoring takes
    those known at each one's own moment, so these answers need only be numbers.

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
        raise SmokeQueryError(f"there are no {config.subject.plural} to ask the endpoint about")
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
        _ask(client, endpoint, served, inputs[[*config.subject.lookup_keys, *config.request_features.all]])


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

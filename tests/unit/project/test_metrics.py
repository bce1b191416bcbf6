"""Groups that are measured on Spark have the figures of their rows."""

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from project.metrics import metrics_by
from tests.unit.kinds import KINDS, make_config


@pytest.mark.parametrize("kind", KINDS)
def test_each_group_has_the_figures_of_its_rows(spark: SparkSession, kind: str) -> None:
    label, random = make_config(kind).label, np.random.default_rng(1)
    happened = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    rows = pd.DataFrame({"place": list("aabbaabb"), label.column: happened, "prediction": random.uniform(size=8)})
    found = metrics_by(spark.createDataFrame(rows), ["place"], label, "prediction").toPandas().set_index("place")
    assert list(found.columns) == list(label.metrics)
    for place, group in rows.groupby("place"):
        expected = label.measure(group[label.column], group["prediction"])
        assert found.loc[place].to_dict() == pytest.approx(expected)

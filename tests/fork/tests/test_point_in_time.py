"""What a training learns from is what was known as each day began, recomputed from the file."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from local_workspace.workspace import Workspace
from project.config import load_config
from tests.deployments import deploy
from tests.unit.tables import moment
from training.train import make_training_set
from use_case.feed import product_days, sample_file
from use_case.settings import settings_of

CONFIG = load_config()
AS_OF, DAY = moment("2010-06-20 00:00"), timedelta(days=1)


def expected_of(row: pd.Series, sales: pd.DataFrame) -> dict[str, float]:
    """The model inputs and the label of one product day."""
    known = sales[sales["day"] < row["day"]]
    own = known[(known["channel"] == row["channel"]) & (known["product"] == row["product"])].sort_values("day")
    both = known[known["product"] == row["product"]].groupby("day")["pieces"].sum()
    last = known["day"].max()

    def since(weeks: int) -> pd.Timestamp:
        return last - timedelta(weeks=weeks)

    logs = {weeks: np.log1p(own.loc[own["day"] > since(weeks), "pieces"]).mean() for weeks in (1, 4, 12)}
    week, weeks = (both[both.index > since(weeks)].mean() for weeks in (1, 4))
    return {
        "weekday": row["day"].dayofweek,
        "day_of_year": row["day"].dayofyear,
        "last_day": np.log1p(own["pieces"].iloc[-1]),
        **{f"mean_{weeks}w": mean for weeks, mean in logs.items()},
        "pieces_1w": week,
        "weeks_trend": np.log(week / weeks) if week else np.nan,
        "log_pieces": np.log1p(row["pieces"]),
    }


@pytest.mark.homes("local", "connect", reason="Spark and the test share a folder")
def test_training_rows_are_as_recomputed_from_the_file(spark: SparkSession, workspace: Workspace) -> None:
    deployed = deploy(spark, workspace, "half_a_year").completed(AS_OF)
    found = make_training_set(spark, deployed.tables, AS_OF, CONFIG).load_df().toPandas()
    settings = settings_of(CONFIG)
    sales = product_days(sample_file(), settings.products, settings.chosen_before)
    learned = sales[sales["day"] < AS_OF - DAY * (CONFIG.training.validation_days + 1)]
    assert len(found) == len(learned)
    # Labels, categories and the calendar say which rows are which; of a sample of them, all inputs.
    found = found.assign(log_pieces=found["log_pieces"].round(9))
    sample = learned[learned["day"] > sales["day"].min()].sample(150, random_state=2)
    names = ["channel", "product", "weekday", "day_of_year", "log_pieces"]
    for _, row in sample.iterrows():
        expected = expected_of(row, sales)
        same = found[
            (found["channel"] == row["channel"])
            & (found["product"] == row["product"])
            & (found["day_of_year"] == expected["day_of_year"])
            & (found["weekday"] == expected["weekday"])
        ]
        assert len(same) == 1, (row, names)
        for name, value in expected.items():
            np.testing.assert_allclose(same[name].iloc[0], value, rtol=0, atol=2e-6, err_msg=f"{name} of {dict(row)}")

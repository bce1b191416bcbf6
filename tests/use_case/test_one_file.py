"""The job as one script: from the sample's files to the figures of a model, on the rows that the job takes."""

import json
from datetime import datetime, timedelta

import pandas as pd
import pytest
from click.testing import CliRunner

from project.config import load_config
from use_case import one_file
from use_case.feed import sample_folder

AS_OF = datetime(2013, 2, 15)


@pytest.fixture
def few_trees(monkeypatch):
    config = load_config()
    training = config.training.model_copy(update={"model": config.training.model | {"max_iter": 5}})
    monkeypatch.setattr(one_file, "load_config", lambda: config.model_copy(update={"training": training}))


def test_a_model_of_the_days_before_is_judged_on_what_arrived_in_the_last_month(few_trees):
    done = CliRunner().invoke(one_file.main, ["--as-of", f"{AS_OF:%Y-%m-%d}"], catch_exceptions=False)
    figures = json.loads(done.stdout)
    flights = pd.read_csv(sample_folder() / "flights.csv.zip", usecols=["time_hour", "minute", "arr_delay"])
    scheduled = pd.to_datetime(flights["time_hour"]).dt.tz_localize(None) + pd.to_timedelta(flights["minute"], "min")
    arrived, start = flights["arr_delay"].notna(), AS_OF - timedelta(days=31)
    judged = (scheduled >= start) & (scheduled < AS_OF) & arrived
    learned = (scheduled < start - timedelta(hours=36)) & arrived
    # But for those that were still on their way.
    assert 0.99 < figures["rows"] / judged.sum() < 1
    assert figures["training_rows"] == learned.sum()
    assert figures["mean_label"] == pytest.approx((flights["arr_delay"][judged] >= 15).mean(), abs=0.005)
    assert figures["roc_auc"] > 0.55

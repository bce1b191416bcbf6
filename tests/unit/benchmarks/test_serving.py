"""Requests to the endpoint are what it is asked with: inputs and lookup keys, and nothing that rows are filed under."""

import pandas as pd
import pytest

from benchmarks.serving import make_requests
from project.config import load_config

pytestmark = pytest.mark.homes("local", reason="about what a benchmark measures, on this machine")


def test_a_request_has_the_inputs_and_lookup_keys_and_batch_scoring_s_answers():
    config = load_config()
    asked = dict.fromkeys((*config.request_columns, "feature"), (1.0, None))
    filed = dict.fromkeys(("model_name", "model_version", "as_of"), ("m", "m"))
    scored = pd.DataFrame(asked | filed | {config.prediction.column: (0.25, 0.75)})
    body, answers = next(make_requests(scored, 2, config))
    split = body["dataframe_split"]
    assert split["columns"] == [*(name for name in config.request_columns if name not in unasked(config)), "feature"]
    assert dict(zip(answers, (row[-1] for row in split["data"]), strict=True)) == {0.25: 1.0, 0.75: None}


def unasked(config) -> set[str]:
    subject = config.subject
    return {*subject.key, subject.event_time, subject.prediction_time} - {*config.request_features.all}

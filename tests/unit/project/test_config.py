"""The configuration says by name what is wrong with it."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from project.config import FIGURES, METRICS, PROJECT_CONFIG, Comparison, Config, Threshold, load_config
from project.metrics import binary_metrics
from project.rows import check_columns


@pytest.fixture
def load(tmp_path) -> Callable[[Callable[[dict], Any]], Any]:
    """Loads the project's configuration after a change to it."""

    def changed(change):
        content = yaml.safe_load(PROJECT_CONFIG.read_text())
        change(content)
        file = tmp_path / "config.yml"
        file.write_text(yaml.safe_dump(content))
        return load_config(file)

    return changed


def test_the_file_means_what_it_says(load):
    config = load(lambda content: content["source"].update(published_hours_ahead=36))
    assert config.source.published_ahead.total_seconds() == 36 * 3600
    assert config.history_start.isoformat() == "2013-01-01T00:00:00+00:00"
    assert config.schedule_features.all == (*config.schedule_features.numeric, *config.schedule_features.categorical)


FAULTS: dict[str, Callable[[dict], Any]] = {
    "trainig": lambda content: content.update(trainig={}),
    r"training\.model\.max_itr": lambda content: content["training"]["model"].update(max_itr=5),
    r"validation\.performance\.thresholds\.0\.bound": lambda content: content["validation"]["performance"][
        "thresholds"
    ][0].update(bound=1),
    r"validation\.slices\.bands\.0": lambda content: content["validation"]["slices"]["bands"][0].update(labels=["a"]),
    r"training\.gap_hours": lambda content: content["training"].update(gap_hours=-1),
    r"training\.seed": lambda content: content["training"].update(seed="many"),
    r"training\.model\.max_iter": lambda content: content["training"]["model"].update(max_iter=0),
    r"monitoring\.min_label_share": lambda content: content["monitoring"].update(min_label_share=1.5),
    r"prediction\.hours_ahead": lambda content: content["prediction"].update(hours_ahead=-2),
    r"source\.history_start": lambda content: content["source"].update(history_start="yesterday"),
    r"training\.model\.learning_rate": lambda content: content["training"]["model"].update(learning_rate=float("nan")),
    "validation": lambda content: content["validation"]["performance"]["thresholds"][0].update(metric="auc"),
    r"monitoring\.checks\.0\.metric": lambda content: content["monitoring"]["checks"][0].update(metric="counts"),
    r"training": lambda content: content["training"].update(seed=True),
    r"label\.column": lambda content: content["label"].pop("column"),
    "slices": lambda content: content.update(slices="origin"),
}


@pytest.mark.parametrize("key", FAULTS)
def test_a_fault_is_named_by_its_key(load, key):
    with pytest.raises(ValidationError, match=rf"(?m)^{key}(\.|$)"):
        load(FAULTS[key])


@pytest.mark.parametrize("bounds", [{"low": 2, "high": 2}, {"low": 3, "high": 2}, {"low": 0, "high": 2, "log": True}])
def test_a_search_range_must_rise_and_a_logarithm_starts_above_0(load, bounds):
    with pytest.raises(ValidationError, match="`low` must be below `high`, and above 0 if `log` is true"):
        load(lambda content: content["training"]["search"]["space"].update(max_iter=bounds))


def test_what_the_file_can_tell_of_its_own_names_is_told_at_load(load):
    known = ", ".join(load_config().schedule_features.categorical)
    with pytest.raises(ValidationError, match=f"unseen: there is no column 'carier'; there are {known}"):
        load(lambda content: content["validation"]["behaviour"].update(unseen=["carier"]))
    with pytest.raises(ValidationError, match="two schedule features have the same name"):
        load(lambda content: content["schedule_features"]["numeric"].append("carrier"))
    with pytest.raises(ValidationError, match="two slices and bands have the same name"):
        load(lambda content: content["validation"]["slices"]["bands"][0].update(name=content["slices"][0]))


# Where a column is named, by a change that names one that is none.
COLUMNS: dict[str, Callable[[dict], Any]] = {
    "slices": lambda content: content["slices"].append("runway"),
    "validation.slices.bands": lambda content: content["validation"]["slices"]["bands"][0].update(column="runway"),
    "validation.behaviour.worse": lambda content: content["validation"]["behaviour"]["worse"][0]["shifts"][0].update(
        column="runway"
    ),
    "validation.behaviour.irrelevant": lambda content: content["validation"]["behaviour"]["irrelevant"].append(
        "runway"
    ),
    "validation.data.null_rates": lambda content: content["validation"]["data"]["null_rates"].update(runway=0.5),
    "monitoring.drift.ignored": lambda content: content["monitoring"]["drift"]["ignored"].append("runway"),
    "monitoring.drift.least_low": lambda content: content["monitoring"]["drift"]["least_low"].update(runway=20),
    "monitoring.drift.false_alarm_rate_of": lambda content: content["monitoring"]["drift"][
        "false_alarm_rate_of"
    ].update(runway=0.1),
}


def inputs_of(config: Config) -> list[str]:
    """Inputs as the file expects them; a training knows the real ones."""
    validation, drift = config.validation, config.monitoring.drift
    shifted = [shift.column for worse in validation.behaviour.worse for shift in worse.shifts]
    sliced = [*config.slices, *(bands.column for bands in validation.slices.bands)]
    watched = [*drift.ignored, *drift.least_low, *drift.false_alarm_rate_of]
    return [*config.schedule_features.all, *shifted, *sliced, *validation.data.null_rates, *watched]


@pytest.mark.parametrize("key", COLUMNS)
def test_a_column_that_no_input_has_is_refused_with_the_known_ones(load, key):
    inputs = inputs_of(load_config())
    check_columns(load_config(), inputs)
    with pytest.raises(ValueError, match=rf"^{key}: there is no column 'runway'; there are .*carrier"):
        check_columns(load(COLUMNS[key]), inputs)


def test_a_key_that_is_there_twice_is_refused_by_its_lines(tmp_path):
    """As a merge of two branches leaves it: the second would count, unseen."""
    text = PROJECT_CONFIG.read_text()
    (tmp_path / "config.yml").write_text(text.replace("  seed: 2013\n", "  seed: 2013\n  seed: 7\n", 1))
    first = text[: text.index("  seed: 2013\n")].count("\n") + 1
    with pytest.raises(ValueError, match=rf"duplicate key 'seed' in lines {first} and {first + 1}"):
        load_config(tmp_path / "config.yml")


@pytest.mark.parametrize("written", ["2013-01-01", "2013-01-01T00:00:00", "2012-12-31T19:00:00-05:00"])
def test_a_moment_without_time_or_zone_is_utc_in_file_and_parameter(written, tmp_path):
    text = PROJECT_CONFIG.read_text()
    (tmp_path / "config.yml").write_text(text.replace("2013-01-01T00:00:00Z", written))
    for config in (load_config(tmp_path / "config.yml"), load_config(history_start=written)):
        assert config.history_start.isoformat() == "2013-01-01T00:00:00+00:00"


def test_the_metrics_that_may_be_named_are_those_that_are_measured():
    figures = binary_metrics(pd.Series([0.0, 1.0, 1.0]), pd.Series([0.2, 0.4, 0.9]))
    assert {*METRICS} == {*figures}
    assert {"roc_auc", "log_loss_skill"} <= {*FIGURES}


def test_a_deployment_may_have_a_shorter_history():
    assert load_config(history_start="2013-06-01T00:00:00Z").history_start.isoformat() == "2013-06-01T00:00:00+00:00"
    assert load_config(history_start="").history_start == load_config().history_start
    with pytest.raises(ValidationError, match=r"source\.history_start"):
        load_config(history_start="last year")


def test_a_deployment_may_be_judged_on_other_days():
    assert load_config(validation_days="14").training.validation_days == 14
    assert load_config(validation_days="").training == load_config().training
    for wrong in ("0", "a fortnight"):
        with pytest.raises(ValidationError, match=r"training\.validation_days"):
            load_config(validation_days=wrong)


def test_nothing_changes_it_later(load):
    config = load(lambda _: None)
    with pytest.raises(ValidationError, match="frozen"):
        config.training.seed = 1


@pytest.mark.parametrize(
    ("greater_is_better", "below", "at", "above"), [(True, False, True, True), (False, True, True, False)]
)
def test_a_bound_has_a_direction(greater_is_better, below, at, above):
    threshold = Threshold(metric="m", greater_is_better=greater_is_better, threshold=0.5)
    assert (threshold.holds(0.4), threshold.holds(0.5), threshold.holds(0.6)) == (below, at, above)
    assert not threshold.holds(None)
    assert not threshold.holds(float("nan"))


def test_what_a_challenger_may_lose_is_not_negative():
    with pytest.raises(ValidationError, match="max_decline"):
        Comparison(metric="log_loss", greater_is_better=False, max_decline=-0.1)

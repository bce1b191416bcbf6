"""The configuration says by name what is wrong with it."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from project.config import FIGURES, Comparison, Config, Threshold, config_file, load_config
from project.rows import check_columns
from tests.unit.kinds import KINDS, make_config


@pytest.fixture
def load(tmp_path) -> Callable[..., Config]:
    """Loads a configuration with a label of either kind after a change to it."""

    def changed(change, kind="binary"):
        content = yaml.safe_load(yaml.safe_dump(make_config(kind).model_dump()))
        change(content)
        file = tmp_path / "config.yml"
        file.write_text(yaml.safe_dump(content))
        return load_config(file)

    return changed


def test_the_file_means_what_it_says(load):
    config = load(lambda content: content["training"].update(gap_hours=36))
    assert config.training.gap.total_seconds() == 36 * 3600
    assert config.history_start.isoformat() == "2024-01-01T00:00:00+00:00"
    assert config.request_features.all == ("price", "items", "shop", "product", "weekday")
    assert config.filed_columns == ("order_id", "closes_at", "customer_id", "ordered_at")
    assert config.request_columns == (*config.filed_columns, *config.request_features.all)


FAULTS: dict[str, Callable[[dict], Any]] = {
    "trainig": lambda content: content.update(trainig={}),
    r"validation\.performance\.thresholds\.0\.bound": lambda content: content["validation"]["performance"][
        "thresholds"
    ][0].update(bound=1),
    r"validation\.slices\.bands\.0": lambda content: content["validation"]["slices"]["bands"][0].update(labels=["a"]),
    r"training\.gap_hours": lambda content: content["training"].update(gap_hours=-1),
    r"training\.seed": lambda content: content["training"].update(seed="many"),
    r"training\.search\.folds\.number": lambda content: content["training"]["search"]["folds"].update(number=0),
    r"monitoring\.min_label_share": lambda content: content["monitoring"].update(min_label_share=1.5),
    r"prediction\.column": lambda content: content["prediction"].update(column="score"),
    r"source\.history_start": lambda content: content["source"].update(history_start="yesterday"),
    r"training\.model\.learning_rate": lambda content: content["training"]["model"].update(learning_rate=float("nan")),
    r"training": lambda content: content["training"].update(seed=True),
    r"subject\.event_time": lambda content: content["subject"].pop("event_time"),
    r"subject\.key": lambda content: content["subject"].update(key=[]),
    "label": lambda content: content["label"].update(kind="ternary"),
    r"label\.(binary|regression)\.column": lambda content: content["label"].pop("column"),
    r"label\.(binary|regression)\.threshold": lambda content: content["label"].update(threshold=0.5),
    "slices": lambda content: content.update(slices="shop"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", FAULTS)
def test_a_fault_is_named_by_its_key(load, key, kind):
    with pytest.raises(ValidationError, match=rf"(?m)^{key}(\.|$)"):
        load(FAULTS[key], kind)


@pytest.mark.parametrize(
    ("kind", "other", "words"),
    [
        ("binary", "regression", {"positive_from": 0.7}),
        ("regression", "binary", {"unit": "euros"}),
        ("regression", "binary", {"least": 1.0}),
    ],
)
def test_a_label_has_the_words_of_its_own_kind_alone(load, kind, other, words):
    (name,) = words
    assert load(lambda content: content["label"].update(words), kind).label.model_dump()[name] == words[name]
    with pytest.raises(ValidationError, match=rf"(?m)^label\.{other}\.{name}$"):
        load(lambda content: content["label"].update(words), other)


# Where a figure is named, by what is said of one that is not known there.
NAMED: list[tuple[str, Callable[[dict], dict]]] = [
    ("validation: there is no metric", lambda content: content["validation"]["performance"]["thresholds"][-1]),
    ("validation: there is no metric", lambda content: content["validation"]["performance"]["against_champion"][-1]),
    ("validation: there is no metric", lambda content: content["validation"]["slices"]["floor"]),
    ("validation: there is no metric", lambda content: content["validation"]["slices"]["against_champion"]),
    ("validation: there is no metric", lambda content: content["validation"]["data"]["optimism"]),
    ("monitoring.checks: there is no figure", lambda content: content["monitoring"]["checks"][0]),
]


@pytest.mark.parametrize(
    ("kind", "known", "of_the_other"), [("binary", "roc_auc", "mae"), ("regression", "mae", "roc_auc")]
)
@pytest.mark.parametrize(("said", "place"), NAMED)
def test_a_metric_that_the_kind_of_label_does_not_have_is_refused_with_the_known_ones(
    load, said, place, kind, known, of_the_other
):
    load(lambda content: place(content).update(metric=known), kind)
    for wrong in (of_the_other, "auc"):
        with pytest.raises(ValidationError, match=rf"{re.escape(said)} '{wrong}'; there are .*\b{known}\b"):
            load(lambda content: place(content).update(metric=wrong), kind)  # noqa: B023 (called at once)


def test_the_champion_is_compared_by_figures_of_days_alone(load):
    """A skill is a metric, but nothing draws days anew for it."""
    with pytest.raises(ValidationError, match=r"against_champion: there is no metric 'brier_skill'; there are roc_auc"):
        load(lambda content: content["validation"]["performance"]["against_champion"][0].update(metric="brier_skill"))


def test_a_search_looks_for_hyperparameters_that_the_model_has_and_starts_at_them(load):
    unknown = r"training\.search\.space: there is no hyperparameter 'depth'; there are .*max_iter"
    with pytest.raises(ValidationError, match=unknown):
        load(lambda content: content["training"]["search"]["space"].update(depth={"low": 1, "high": 9}))
    for start in (19, 201, "many", None):
        with pytest.raises(ValidationError, match=r"`model\.max_iter` must be within `search\.space\.max_iter`"):
            load(lambda content: content["training"]["model"].update(max_iter=start))  # noqa: B023 (called at once)


@pytest.mark.parametrize("bounds", [{"low": 2, "high": 2}, {"low": 3, "high": 2}, {"low": 0, "high": 2, "log": True}])
def test_a_search_range_must_rise_and_a_logarithm_starts_above_0(load, bounds):
    with pytest.raises(ValidationError, match="`low` must be below `high`, and above 0 if `log` is true"):
        load(lambda content: content["training"]["search"]["space"].update(max_iter=bounds))


def test_what_the_file_can_tell_of_its_own_names_is_told_at_load(load):
    known = ", ".join(load_config().request_features.categorical)
    with pytest.raises(ValidationError, match=f"unseen: there is no column 'prodct'; there are {known}"):
        load(lambda content: content["validation"]["behaviour"].update(unseen=["prodct"]))
    with pytest.raises(ValidationError, match="two request features have the same name"):
        load(lambda content: content["request_features"]["numeric"].append("product"))
    with pytest.raises(ValidationError, match="two slices and bands have the same name"):
        load(lambda content: content["validation"]["slices"]["bands"][0].update(name=content["slices"][0]))


# Where a column is named, by a change that names one that is none.
COLUMNS: dict[str, Callable[[dict], Any]] = {
    "slices": lambda content: content["slices"].append("weight"),
    "validation.slices.bands": lambda content: content["validation"]["slices"]["bands"][0].update(column="weight"),
    "validation.behaviour.worse": lambda content: content["validation"]["behaviour"]["worse"][0]["shifts"][0].update(
        column="weight"
    ),
    "validation.behaviour.irrelevant": lambda content: content["validation"]["behaviour"]["irrelevant"].append(
        "weight"
    ),
    "validation.data.null_rates": lambda content: content["validation"]["data"]["null_rates"].update(weight=0.5),
    "monitoring.drift.ignored": lambda content: content["monitoring"]["drift"]["ignored"].append("weight"),
    "monitoring.drift.least_low": lambda content: content["monitoring"]["drift"]["least_low"].update(weight=20),
    "monitoring.drift.false_alarm_rate_of": lambda content: content["monitoring"]["drift"][
        "false_alarm_rate_of"
    ].update(weight=0.1),
}


def inputs_of(config: Config) -> list[str]:
    """Inputs as the file expects them; a training knows the real ones."""
    validation, drift = config.validation, config.monitoring.drift
    shifted = [shift.column for worse in validation.behaviour.worse for shift in worse.shifts]
    sliced = [*config.slices, *(bands.column for bands in validation.slices.bands)]
    watched = [*drift.ignored, *drift.least_low, *drift.false_alarm_rate_of]
    return [*config.request_features.all, *shifted, *sliced, *validation.data.null_rates, *watched]


@pytest.mark.parametrize("key", COLUMNS)
def test_a_column_that_no_input_has_is_refused_with_the_known_ones(load, key):
    inputs = inputs_of(load_config())
    check_columns(load_config(), inputs)
    with pytest.raises(ValueError, match=rf"^{key}: there is no column 'weight'; there are .*product"):
        check_columns(load(COLUMNS[key]), inputs)


def test_a_key_that_is_there_twice_is_refused_by_its_lines(tmp_path):
    """As a merge of two branches leaves it: the second would count, unseen."""
    text = config_file().read_text()
    (tmp_path / "config.yml").write_text(text.replace("  seed: 2024\n", "  seed: 2024\n  seed: 7\n", 1))
    first = text[: text.index("  seed: 2024\n")].count("\n") + 1
    with pytest.raises(ValueError, match=rf"duplicate key 'seed' in lines {first} and {first + 1}"):
        load_config(tmp_path / "config.yml")


@pytest.mark.parametrize("written", ["2024-01-01", "2024-01-01T00:00:00", "2023-12-31T19:00:00-05:00"])
def test_a_moment_without_time_or_zone_is_utc_in_file_and_parameter(written, tmp_path):
    text = config_file().read_text()
    (tmp_path / "config.yml").write_text(text.replace("2024-01-01T00:00:00Z", written))
    for config in (load_config(tmp_path / "config.yml"), load_config(history_start=written)):
        assert config.history_start.isoformat() == "2024-01-01T00:00:00+00:00"


@pytest.mark.parametrize("kind", KINDS)
def test_the_metrics_that_may_be_named_are_those_that_are_measured(kind):
    label = make_config(kind).label
    figures = label.measure(pd.Series([0.0, 1.0, 1.0]), pd.Series([0.2, 0.4, 0.9]))
    assert [*label.metrics] == [*figures]
    assert {*label.by_day} <= {*figures}
    assert {*label.daily} <= {*figures} - {*FIGURES}


def test_a_deployment_may_have_a_shorter_history():
    assert load_config(history_start="2024-02-01T00:00:00Z").history_start.isoformat() == "2024-02-01T00:00:00+00:00"
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

"""The typed configuration: `config.yml`, frozen, with unknown keys refused."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from math import log
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from project.times import parse_moment

PROJECT_CONFIG = Path(__file__).with_name("config.yml")
# What a threshold of validation can be about; project/metrics.py says what each is.
METRICS = (
    *("rows", "label_rate", "mean_prediction", "calibration_error", "brier", "log_loss"),
    *("roc_auc", "pr_auc", "brier_base", "log_loss_base", "brier_skill", "log_loss_skill"),
)
# What a check of monitoring can be about; monitoring/README.md says what each is.
FIGURES = (
    *("count", "hours_since_prediction", "volume_ratio", "label_share", "days_unmeasured", "versions_of_a_day"),
    *("unrecorded_champion", "drift", "decline", "roc_auc", "log_loss_skill", "days_since_training", "history_growth"),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads YAML, in C where PyYAML has it (ten times as fast: each task reads the file), and refuses a key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.value in lines:
                raise ValueError(f"duplicate key '{key.value}' in lines {lines[key.value]} and {line}")
            lines[key.value] = line
        content: dict[Any, Any] = super().construct_mapping(node, deep)
        return content


def _in_utc(given: Any) -> datetime:
    """A moment as YAML or a parameter has it; without a time it is midnight, without a zone UTC, as everywhere."""
    if isinstance(given, date) and not isinstance(given, datetime):
        given = datetime.combine(given, time())
    return parse_moment(given.isoformat() if isinstance(given, datetime) else str(given))


Moment = Annotated[datetime, BeforeValidator(_in_utc)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_flag_in_place_of_a_number(cls, given: Any) -> Any:
        """YAML reads `yes` and `true` as a flag, and a flag would count as 1."""
        for name, field in cls.model_fields.items():
            if isinstance(given, dict) and isinstance(given.get(name), bool) and field.annotation is not bool:
                raise ValueError(f"`{name}` must not be true or false")
        return given


class Source(_Section):
    """What the feed gives, and when."""

    history_start: Moment
    published_hours_ahead: Annotated[int, Field(gt=0)]
    fill_days: Annotated[int, Field(gt=0)]

    @property
    def published_ahead(self) -> timedelta:
        """How long before departure a schedule is published."""
        return timedelta(hours=self.published_hours_ahead)

    @property
    def fill_piece(self) -> timedelta:
        """The length of history that a table is filled by at once."""
        return timedelta(days=self.fill_days)


class Label(_Section):
    """What is predicted."""

    column: str
    late_minutes: int


class Prediction(_Section):
    """When a prediction is asked, and the column that holds it, which the feature client names."""

    hours_ahead: Annotated[int, Field(gt=0)]
    column: Literal["prediction"]


class Columns(_Section):
    """Names of model inputs by kind."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Numeric first, then categorical."""
        return self.numeric + self.categorical


class ModelParameters(_Section):
    """Hyperparameters of scikit-learn's HistGradientBoostingClassifier."""

    max_iter: Annotated[int, Field(gt=0)]
    learning_rate: Annotated[float, Field(gt=0)]
    max_leaf_nodes: Annotated[int, Field(gt=1)]
    min_samples_leaf: Annotated[int, Field(gt=0)]
    l2_regularization: Annotated[float, Field(ge=0)]
    max_features: Annotated[float, Field(gt=0, le=1)]


class Folds(_Section):
    """The last weeks of the training window in parts; each judges what was fitted on the weeks before it."""

    number: Annotated[int, Field(gt=0)]
    weeks: Annotated[int, Field(gt=0)]
    gap_weeks: Annotated[int, Field(ge=0)]


class _Bounds(_Section):
    log: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.low, self.high  # type: ignore[attr-defined]
        if not low < high or (self.log and low <= 0):
            raise ValueError("`low` must be below `high`, and above 0 if `log` is true")
        return self


class WholeRange(_Bounds):
    """Inclusive integer search range, uniform or log-uniform."""

    low: int
    high: int


class Range(_Bounds):
    """Float version of `WholeRange`."""

    low: float
    high: float


class SearchSpace(_Section):
    """Where the search looks for each of `ModelParameters`."""

    max_iter: WholeRange
    learning_rate: Range
    max_leaf_nodes: WholeRange
    min_samples_leaf: WholeRange
    l2_regularization: Range
    max_features: Range


class Search(_Section):
    """What a search draws, and how it judges it."""

    folds: Folds
    space: SearchSpace


class Training(_Section):
    """Time split, seed, hyperparameters, and where a search may look for better ones."""

    validation_days: Annotated[int, Field(gt=0)]
    gap_hours: Annotated[int, Field(ge=0)]
    seed: int
    model: ModelParameters
    search: Search

    @model_validator(mode="after")
    def _starts_in_space(self) -> Self:
        for name, bounds in self.search.space:
            value = getattr(self.model, name)
            if not bounds.low <= value <= bounds.high:
                raise ValueError(f"`model.{name}` must be within `search.space.{name}`: a search starts there")
        return self

    @property
    def gap(self) -> timedelta:
        """How long before the validation window the training rows end."""
        return timedelta(hours=self.gap_hours)


class Threshold(_Section):
    """A bound on one metric; `greater_is_better` says on which side it lies."""

    metric: str
    greater_is_better: bool
    threshold: float

    def holds(self, value: float | None) -> bool:
        """True if the value is on the good side; a value that is missing or NaN never is."""
        if value is None or value != value:  # noqa: PLR0124 - NaN is the only value that differs from itself
            return False
        return value >= self.threshold if self.greater_is_better else value <= self.threshold


class Comparison(_Section):
    """How far a challenger may fall behind the champion on one metric."""

    metric: str
    greater_is_better: bool
    max_decline: Annotated[float, Field(ge=0)]


class Performance(_Section):
    """Figures over the whole validation window, each with its direction."""

    min_rows: Annotated[int, Field(gt=0)]
    thresholds: tuple[Threshold, ...]
    against_champion: tuple[Comparison, ...]
    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    resamples: Annotated[int, Field(ge=100)]
    seed: int


class Bands(_Section):
    """A slice made of a number: one label a band between two edges, the lower one in it."""

    name: str
    column: str
    edges: tuple[float, ...]
    labels: tuple[str, ...]

    @model_validator(mode="after")
    def _one_label_a_band(self) -> Self:
        if len(self.labels) != len(self.edges) - 1 or list(self.edges) != sorted(set(self.edges)):
            raise ValueError("`edges` must rise, and be one more than `labels`")
        return self


class SliceGates(_Section):
    """What a slice may lose; `config.slices` are sliced by, and these bands."""

    bands: tuple[Bands, ...]
    min_rows: Annotated[int, Field(gt=0)]
    floor: Threshold
    against_champion: Comparison


class Shift(_Section):
    """What is added to an input, within the bounds that it has by nature."""

    column: str
    by: float
    low: Annotated[float, Field(allow_inf_nan=True)] = float("-inf")
    high: Annotated[float, Field(allow_inf_nan=True)] = float("inf")


class Worse(_Section):
    """A change for the worse: it must not lower the mean risk."""

    name: str
    shifts: tuple[Shift, ...]


class Behaviour(_Section):
    """What a model must do with rows that were changed on purpose."""

    rows: Annotated[int, Field(gt=0)]
    seed: int
    max_fall: Annotated[float, Field(ge=0)]
    worse: tuple[Worse, ...]
    irrelevant: tuple[str, ...]
    unseen: tuple[str, ...]


class Servable(_Section):
    """What a model must do in a process of its own."""

    rows: Annotated[int, Field(gt=0)]
    max_seconds: Annotated[float, Field(gt=0)]
    max_skew: Annotated[float, Field(ge=0)]
    timeout_seconds: Annotated[float, Field(gt=0)]


class DataBounds(_Section):
    """Bounds of the training window, of the judged days, and of how much better training looked than validation."""

    min_rows: Annotated[int, Field(gt=0)]
    label_rate: tuple[float, float]
    max_null_rate: Annotated[float, Field(ge=0, le=1)]
    null_rates: dict[str, Annotated[float, Field(ge=0, le=1)]]
    min_judged_days: Annotated[float, Field(ge=0, le=1)]
    optimism: Comparison


class Validation(_Section):
    """The gates of the first verdict, by group."""

    performance: Performance
    slices: SliceGates
    behaviour: Behaviour
    servable: Servable
    data: DataBounds

    @model_validator(mode="after")
    def _names_known_metrics(self) -> Self:
        for bound in self._bounds():
            check_known("metric", bound.metric, METRICS)
        return self

    def _bounds(self) -> Iterator[Threshold | Comparison]:
        yield from self.performance.thresholds
        yield from self.performance.against_champion
        yield self.slices.floor
        yield self.slices.against_champion
        yield self.data.optimism


class MonitoringCheck(_Section):
    """A bound on one figure of each day; broken on `days_broken` of the last `of_days` days, it is a violation.

    Attributes:
        name: what a verdict calls it.
        kind: what is wrong where it is violated.
        metric: the figure; monitoring/README.md lists them.
        greater_is_better: on which side of the threshold the good figures lie.
        threshold: the bound, in the figure's unit.
        days_broken: how many days must break it: one bad day is none of the model's fault.
        of_days: how many days are looked at.
        answer: what a violation starts: an alert, or an alert and a training.
        by_slice: each value of `slices` is judged by itself too.
    """

    name: str
    kind: Literal["data_quality", "feature_drift", "prediction_drift", "model_quality", "model_age", "absence_of_data"]
    metric: str
    greater_is_better: bool
    threshold: float
    days_broken: Annotated[int, Field(gt=0)]
    of_days: Annotated[int, Field(gt=0)]
    answer: Literal["alert", "retrain"]
    by_slice: bool = False

    @field_validator("metric")
    @classmethod
    def _is_known(cls, metric: str) -> str:
        return check_known("figure", metric, FIGURES)

    @model_validator(mode="after")
    def _can_be_violated(self) -> Self:
        if self.days_broken > self.of_days:
            raise ValueError(f"{self.name}: `days_broken` must be at most `of_days`")
        return self

    @property
    def bound(self) -> Threshold:
        """The bound of its figure."""
        return Threshold(metric=self.metric, greater_is_better=self.greater_is_better, threshold=self.threshold)

    @property
    def needs_labels(self) -> bool:
        """Whether its figure is of labels, so that a day is judged once they are due."""
        return self.kind == "model_quality" or self.metric == "label_share"


def check_known(kind: str, name: str, known: Collection[str], key: str = "") -> str:
    """The name, if it is a known one.

    Raises:
        ValueError: it is not; the text has the key where it stands, if that is given, and the known ones.
    """
    if name not in known:
        where = f"{key}: " if key else ""
        raise ValueError(f"{where}there is no {kind} '{name}'; there are {', '.join(known)}")
    return name


class Drift(_Section):
    """How far a week may lie from the baseline's weeks, where their own distance does not say more.

    Attributes:
        reference_days: so many days, up to the last that a version was validated on, say what is usual.
        least_weeks: where they are fewer weeks, nothing is said.
        enough_weeks: where they are fewer weeks, bounds are too wide for much of what matters, and the verdict says so.
        false_alarm_rate: how often a figure of a week may be beyond its bound by chance, as a share.
        false_alarm_rate_of: the same of single columns, which take its place.
        least: by kind of shift, what is too little to matter however steady the weeks were: of `level`, `low` and
            `high` in standard deviations of the column's rows, of `nulls` and `unseen` as a share of them, of `share`,
            `spread` and `still` as a factor.
        least_low: of single columns, the same of `low`, in the column's own unit.
        least_share: a category with a smaller share of the rows is not watched by itself.
        steady_end: least and greatest values that stray further than so many standard deviations are not watched.
        ignored: columns that only say when: their distribution follows from the calendar.
    """

    reference_days: Annotated[int, Field(ge=14)]
    least_weeks: Annotated[int, Field(ge=3)]
    enough_weeks: Annotated[int, Field(ge=3)]
    false_alarm_rate: Annotated[float, Field(gt=0, lt=1)]
    false_alarm_rate_of: dict[str, Annotated[float, Field(gt=0, lt=1)]]
    least: dict[
        Literal["level", "low", "high", "spread", "nulls", "share", "unseen", "still"], Annotated[float, Field(gt=0)]
    ]
    least_low: dict[str, Annotated[float, Field(gt=0)]]
    least_share: Annotated[float, Field(gt=0, lt=1)]
    steady_end: Annotated[float, Field(gt=0)]
    ignored: tuple[str, ...]

    def rate_of(self, column: str) -> float:
        """How often a figure of a column may be beyond its bound by chance."""
        return self.false_alarm_rate_of.get(column, self.false_alarm_rate)

    def least_of(self, kind: str, column: str, deviation: float) -> float:
        """The narrowest bound of a figure: in standard deviations, as a share, or as the logarithm of a factor.

        Args:
            kind: what has moved.
            column: of which column.
            deviation: the standard deviation of its rows.
        """
        if kind == "low" and column in self.least_low:
            return self.least_low[column] / deviation
        least: float = self.least[kind]  # type: ignore[index]
        return log(least) if kind in {"share", "spread", "still"} else least


class Decline(_Section):
    """How far the ranking of the last days may fall behind validation.

    Attributes:
        days: how many judged days are looked at.
        false_alarm_rate: how often a model that is as it was may be taken for worse, as a share.
        false_alarm_rate_of_slices: the same of each slice; there are many.
    """

    days: Annotated[int, Field(gt=2)]
    false_alarm_rate: Annotated[float, Field(gt=0, lt=1)]
    false_alarm_rate_of_slices: Annotated[float, Field(gt=0, lt=1)]


class Retraining(_Section):
    """How often monitoring may have a model trained."""

    cooldown_days: Annotated[int, Field(ge=0)]

    @property
    def cooldown(self) -> timedelta:
        """How long after a training the next may follow."""
        return timedelta(days=self.cooldown_days)


class Serving(_Section):
    """The endpoint: traffic, size, and what is asked of it before a version takes over."""

    canary_percent: Annotated[int, Field(gt=0, lt=100)]
    former_percent: Annotated[int, Field(ge=0, lt=100)]
    workload_size: Literal["Small", "Medium", "Large"]
    scale_to_zero: bool
    inference_table: bool
    update_timeout_minutes: Annotated[int, Field(gt=0)]
    smoke_rows: Annotated[int, Field(gt=0)]
    smoke_tolerance: Annotated[float, Field(ge=0)]
    online_store_capacity: Literal["CU_1", "CU_2", "CU_4", "CU_8"]


class Monitoring(_Section):
    """What is watched, over how long, and the bounds."""

    window_days: Annotated[int, Field(gt=0)]
    labels_due_hours: Annotated[int, Field(gt=0)]
    join_days: Annotated[int, Field(gt=0)]
    min_label_share: Annotated[float, Field(ge=0, le=1)]
    min_labelled_rows: Annotated[int, Field(gt=0)]
    late_from: Annotated[float, Field(gt=0, lt=1)]
    drift: Drift
    decline: Decline
    checks: tuple[MonitoringCheck, ...]
    retraining: Retraining

    @field_validator("checks")
    @classmethod
    def _names_are_unique(cls, checks: tuple[MonitoringCheck, ...]) -> tuple[MonitoringCheck, ...]:
        names = [check.name for check in checks]
        if len(set(names)) < len(names):
            raise ValueError(f"two checks have the same name: {sorted(names)}")
        return checks

    @property
    def look_back_days(self) -> int:
        """As many days as the report or any check looks at."""
        return max(self.window_days, self.decline.days, *(check.of_days for check in self.checks))


class Config(_Section):
    """The whole use case."""

    source: Source
    label: Label
    prediction: Prediction
    schedule_features: Columns
    training: Training
    validation: Validation
    slices: tuple[str, ...]
    serving: Serving
    monitoring: Monitoring

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for name in self.validation.behaviour.unseen:
            check_known("column", name, self.schedule_features.categorical, "validation.behaviour.unseen")
        for kind, names in (("schedule features", self.schedule_features.all), ("slices and bands", self.slice_keys)):
            if len(set(names)) < len(names):
                raise ValueError(f"two {kind} have the same name: {', '.join(sorted(names))}")
        return self

    @property
    def slice_keys(self) -> tuple[str, ...]:
        """The kinds of slices that validation judges by."""
        return *self.slices, *(bands.name for bands in self.validation.slices.bands)

    @property
    def history_start(self) -> datetime:
        """The first moment of the history, UTC."""
        return self.source.history_start

    @property
    def predicted_class(self) -> str:
        """The column of the class that monitoring makes of a prediction: 1.0 or 0.0, as the label."""
        return f"predicted_{self.label.column}"


def load_config(path: Path = PROJECT_CONFIG, *, history_start: str = "", validation_days: str = "") -> Config:
    """Reads and checks the configuration.

    Args:
        path: the file.
        history_start: takes the place of `source.history_start` for this deployment; empty leaves the file's.
        validation_days: the same of `training.validation_days`.

    Raises:
        pydantic.ValidationError: a key is unknown, missing or of the wrong type; it names the key.
        ValueError: a key is there twice; it names key and lines.
    """
    content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a safe loader)
    if history_start:
        content["source"]["history_start"] = history_start
    if validation_days:
        content["training"]["validation_days"] = validation_days
    return Config.model_validate(content)

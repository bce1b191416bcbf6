"""The typed configuration: `use_case/config.yml`, frozen, with unknown keys refused."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from importlib.util import find_spec
from math import log
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BeforeValidator, Field, field_validator, model_validator

from project.kinds.binary import Binary
from project.kinds.regression import Regression
from project.section import Section
from project.times import parse_moment

# What a check of monitoring can be about, beside the figures of the label's kind: monitoring/README.md lists them.
FIGURES = (
    *("count", "hours_since_prediction", "volume_ratio", "label_share", "days_unmeasured", "versions_of_a_day"),
    *("unrecorded_champion", "drift", "decline", "days_since_training", "history_growth"),
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


type Parameter = int | float | str | None
"""A hyperparameter of the model."""


class Source(Section):
    """What there is of the past, and how much of it is computed at once."""

    history_start: Moment
    """The first moment of the history (UTC): nothing before it is landed. A target may start later."""
    fill_days: Annotated[int, Field(gt=0)]
    """Days of history by which a new or rebuilt table is filled at once: it bounds memory."""

    replay: tuple[Moment, Moment] | None = None
    """The day before the first and the last day that `make replay` plays."""

    @property
    def fill_piece(self) -> timedelta:
        """The length of history that a table is filled by at once."""
        return timedelta(days=self.fill_days)


class Subject(Section):
    """What a prediction is about."""

    noun: str
    """One of them, such as 'flight'."""
    plural: str
    """More of them, such as 'flights'."""
    table: str
    """The bronze table that has a row of each."""
    key: Annotated[tuple[str, ...], Field(min_length=1)]
    """The columns that identify one."""
    event_time: str
    """The column of the moment (UTC) at which it happens: days of training and validation are counted by it."""
    prediction_time: str
    """The column of the moment (UTC) at which its prediction is asked: features are those known then."""
    lookup_keys: tuple[str, ...] = ()
    """Columns that features are looked up by, beside those of `request_features`."""


class Prediction(Section):
    """What a prediction is called."""

    column: Literal["prediction"]
    """The column that holds it, which the feature client names."""


class Columns(Section):
    """Names of model inputs by kind."""

    numeric: tuple[str, ...]
    """Numbers and flags: a model learns from them as doubles."""
    categorical: tuple[str, ...]
    """Texts, integer codes and flags: categories."""

    @property
    def all(self) -> tuple[str, ...]:
        """Numeric first, then categorical."""
        return self.numeric + self.categorical


class Folds(Section):
    """The last weeks of the training window in parts; each judges what was fitted on the weeks before it."""

    number: Annotated[int, Field(gt=0)]
    """How many."""
    weeks: Annotated[int, Field(gt=0)]
    """How many weeks each judges."""
    gap_weeks: Annotated[int, Field(ge=0)]
    """Weeks before them that nothing is fitted on: outcomes take time to become known."""


class _Bounds(Section):
    log: bool = False
    """Whether it is searched by the logarithm."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.low, self.high  # type: ignore[attr-defined]
        if not low < high or (self.log and low <= 0):
            raise ValueError("`low` must be below `high`, and above 0 if `log` is true")
        return self


class WholeRange(_Bounds):
    """Inclusive integer search range, uniform or log-uniform."""

    low: int
    """The least value."""
    high: int
    """The greatest."""


class Range(_Bounds):
    """Float version of `WholeRange`."""

    low: float
    """The least value."""
    high: float
    """The greatest."""


class Search(Section):
    """What a search draws, and how it judges it."""

    folds: Folds
    space: dict[str, WholeRange | Range]
    """Where it looks for each of `training.model`'s hyperparameters; what is not named here stays as it is."""


class Training(Section):
    """Time split, seed, hyperparameters, and where a search may look for better ones."""

    validation_days: Annotated[int, Field(gt=0)]
    """Whole days (UTC) before as_of that training never sees: a version is judged on them. A target may set it."""
    gap_hours: Annotated[int, Field(ge=0)]
    """Hours before them that training does not see either: as long as labels take to become known."""
    seed: int
    """Of all random choices."""
    model: dict[str, Parameter]
    """Hyperparameters that `use_case/model.py` takes: what a run without a search uses, and where a search starts."""
    search: Search

    @model_validator(mode="after")
    def _starts_in_space(self) -> Self:
        for name, bounds in self.search.space.items():
            check_known("hyperparameter", name, self.model, "training.search.space")
            value = self.model[name]
            if not isinstance(value, int | float) or not bounds.low <= value <= bounds.high:
                raise ValueError(f"`model.{name}` must be within `search.space.{name}`: a search starts there")
        return self

    @property
    def gap(self) -> timedelta:
        """How long before the validation window the training rows end."""
        return timedelta(hours=self.gap_hours)


class Threshold(Section):
    """A bound on one metric; `greater_is_better` says on which side it lies."""

    metric: str
    """A figure of the label's kind; validation/README.md says what each is."""
    greater_is_better: bool
    """On which side of the threshold the good figures lie."""
    threshold: float
    """The bound, which is good itself."""

    def holds(self, value: float | None) -> bool:
        """True if the value is on the good side; a value that is missing or NaN never is."""
        if value is None or value != value:  # noqa: PLR0124 - NaN is the only value that differs from itself
            return False
        return value >= self.threshold if self.greater_is_better else value <= self.threshold


class Comparison(Section):
    """How far a challenger may fall behind the champion on one metric."""

    metric: str
    """A figure of the label's kind."""
    greater_is_better: bool
    """Which way is better."""
    max_decline: Annotated[float, Field(ge=0)]
    """How far the challenger may be behind, in the unit of the figure."""


class Performance(Section):
    """Figures over the whole validation window, each with its direction."""

    min_rows: Annotated[int, Field(gt=0)]
    """Labelled rows that a verdict needs."""
    thresholds: tuple[Threshold, ...]
    """What each figure must keep."""
    against_champion: tuple[Comparison, ...]
    """How far behind the champion it may be, on the same rows."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    """With which that must hold when days are drawn anew."""
    resamples: Annotated[int, Field(ge=100)]
    """How many times days are drawn."""
    seed: int
    """Of the draws."""


class Bands(Section):
    """A slice made of a number: one label a band between two edges, the lower one in it."""

    name: str
    """Of the kind of slice."""
    column: str
    """The number."""
    edges: tuple[float, ...]
    """Rising: where one band ends and the next begins."""
    labels: tuple[str, ...]
    """One a band."""

    @model_validator(mode="after")
    def _one_label_a_band(self) -> Self:
        if len(self.labels) != len(self.edges) - 1 or list(self.edges) != sorted(set(self.edges)):
            raise ValueError("`edges` must rise, and be one more than `labels`")
        return self


class SliceGates(Section):
    """What a slice may lose; `config.slices` are sliced by, and these bands."""

    bands: tuple[Bands, ...]
    """Slices made of numbers, beside those of `slices`."""
    min_rows: Annotated[int, Field(gt=0)]
    """Labelled rows that a slice needs to be judged."""
    floor: Threshold
    """What each slice must keep."""
    against_champion: Comparison
    """How far behind the champion a slice may be."""


class Shift(Section):
    """What is added to an input, within the bounds that it has by nature."""

    column: str
    """An input."""
    by: float
    """What is added, in its unit."""
    low: Annotated[float, Field(allow_inf_nan=True)] = float("-inf")
    """It does not fall below."""
    high: Annotated[float, Field(allow_inf_nan=True)] = float("inf")
    """It does not rise above."""


class Worse(Section):
    """A change for the worse: it must not lower the mean prediction."""

    name: str
    """What changes."""
    shifts: tuple[Shift, ...]
    """The inputs that change together."""


class Behaviour(Section):
    """What a model must do with rows that were changed on purpose."""

    rows: Annotated[int, Field(gt=0)]
    """How many validation rows are changed."""
    seed: int
    """Of the sample."""
    max_fall: Annotated[float, Field(ge=0)]
    """How far the mean prediction may fall under a change for the worse, in its unit."""
    worse: tuple[Worse, ...]
    """Changes for the worse."""
    irrelevant: tuple[str, ...]
    """Columns that are no inputs: a change of these alone changes nothing."""
    unseen: tuple[str, ...]
    """Categories: a value that training never saw must give an answer."""


class Servable(Section):
    """What a model must do in a process of its own."""

    rows: Annotated[int, Field(gt=0)]
    """How many are scored in the fresh process."""
    max_seconds: Annotated[float, Field(gt=0)]
    """How long that may take."""
    max_skew: Annotated[float, Field(ge=0)]
    """The greatest difference from batch scoring."""
    timeout_seconds: Annotated[float, Field(gt=0)]
    """After so long, there is no answer."""


class DataBounds(Section):
    """Bounds of the training window, of the judged days, and of how much better training looked than validation."""

    min_rows: Annotated[int, Field(gt=0)]
    """Training rows at least."""
    mean_label: tuple[float, float]
    """Between what the mean of the label must lie in training."""
    max_null_rate: Annotated[float, Field(ge=0, le=1)]
    """The share of an input's values that may be missing in training, 0 to 1."""
    null_rates: dict[str, Annotated[float, Field(ge=0, le=1)]]
    """The same of single inputs."""
    min_judged_days: Annotated[float, Field(ge=0, le=1)]
    """The share of the validation window's days that must have their labels, 0 to 1."""
    optimism: Comparison
    """How much worse than cross-validation the validation may be."""


class Validation(Section):
    """The gates of the first verdict, by group."""

    performance: Performance
    slices: SliceGates
    behaviour: Behaviour
    servable: Servable
    data: DataBounds

    @property
    def bounds(self) -> Iterator[Threshold | Comparison]:
        """What is held against a figure."""
        yield from self.performance.thresholds
        yield from self.performance.against_champion
        yield self.slices.floor
        yield self.slices.against_champion
        yield self.data.optimism


class MonitoringCheck(Section):
    """A bound on one figure of each day; broken on `days_broken` of the last `of_days` days, it is a violation."""

    name: str
    """What a verdict calls it."""
    kind: Literal["data_quality", "feature_drift", "prediction_drift", "model_quality", "model_age", "absence_of_data"]
    """What is wrong where it is violated."""
    metric: str
    """The figure; monitoring/README.md lists them."""
    greater_is_better: bool
    """On which side of the threshold the good figures lie."""
    threshold: float
    """The bound, in the figure's unit."""
    days_broken: Annotated[int, Field(gt=0)]
    """How many days must break it: one bad day is none of the model's fault."""
    of_days: Annotated[int, Field(gt=0)]
    """How many days are looked at."""
    answer: Literal["alert", "retrain"]
    """What a violation starts: an alert, or an alert and a training."""
    by_slice: bool = False
    """Whether each value of `slices` is judged by itself too."""

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


class Drift(Section):
    """How far a week may lie from the baseline's weeks, where their own distance does not say more."""

    reference_days: Annotated[int, Field(ge=14)]
    """So many days, up to the last that a version was validated on, say what is usual."""
    least_weeks: Annotated[int, Field(ge=3)]
    """Where there are fewer weeks, nothing is said."""
    enough_weeks: Annotated[int, Field(ge=3)]
    """Where there are fewer weeks, bounds are too wide for much of what matters, and the verdict says so."""
    false_alarm_rate: Annotated[float, Field(gt=0, lt=1)]
    """How often a figure of a week may be beyond its bound by chance, as a share."""
    false_alarm_rate_of: dict[str, Annotated[float, Field(gt=0, lt=1)]]
    """The same of single columns, which take its place."""
    least: dict[
        Literal["level", "low", "high", "spread", "nulls", "share", "unseen", "still"], Annotated[float, Field(gt=0)]
    ]
    """By kind of shift, what is too little to matter however steady the weeks were: of `level`, `low` and `high` in
    standard deviations of the column's rows, of `nulls` and `unseen` as a share of them, of `share`, `spread` and
    `still` as a factor."""
    least_low: dict[str, Annotated[float, Field(gt=0)]]
    """Of single columns, the same of `low`, in the column's own unit."""
    least_share: Annotated[float, Field(gt=0, lt=1)]
    """A category with a smaller share of the rows is not watched by itself."""
    steady_end: Annotated[float, Field(gt=0)]
    """Least and greatest values that stray further than so many standard deviations are not watched."""
    ignored: tuple[str, ...]
    """Columns that only say when: their distribution follows from the calendar."""

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


class Decline(Section):
    """How far the quality of the last days may fall behind validation."""

    days: Annotated[int, Field(gt=2)]
    """How many judged days are looked at; one in five may be bad by itself."""
    false_alarm_rate: Annotated[float, Field(gt=0, lt=1)]
    """How often a model that is as it was may be taken for worse, as a share."""
    false_alarm_rate_of_slices: Annotated[float, Field(gt=0, lt=1)]
    """The same of each slice; there are many."""


class Retraining(Section):
    """How often monitoring may have a model trained."""

    cooldown_days: Annotated[int, Field(ge=0)]
    """So soon after a training, a violation alerts and starts no other."""

    @property
    def cooldown(self) -> timedelta:
        """How long after a training the next may follow."""
        return timedelta(days=self.cooldown_days)


class Serving(Section):
    """The endpoint: traffic, size, and what is asked of it before a version takes over."""

    canary_percent: Annotated[int, Field(gt=0, lt=100)]
    """Of the traffic that goes to a new champion while it is asked the smoke query."""
    former_percent: Annotated[int, Field(ge=0, lt=100)]
    """Of the traffic that stays with the version before it afterwards, unless that was rolled back."""
    workload_size: Literal["Small", "Medium", "Large"]
    """Of each served version."""
    scale_to_zero: bool
    """Whether an endpoint that nobody asks costs nothing, and answers late when somebody does."""
    inference_table: bool
    """Whether requests and answers are kept in a table of the schema."""
    update_timeout_minutes: Annotated[int, Field(gt=0)]
    """How long an update of the endpoint may take."""
    smoke_rows: Annotated[int, Field(gt=0)]
    """How many rows a new version is asked about."""
    smoke_tolerance: Annotated[float, Field(ge=0)]
    """How far an answer may be from batch scoring."""
    online_store_capacity: Literal["CU_1", "CU_2", "CU_4", "CU_8"]
    """The size of the online store, if it is made."""


class Monitoring(Section):
    """What is watched, over how long, and the bounds."""

    window_days: Annotated[int, Field(gt=0)]
    """The days that the report is about: the last ones whose labels are due."""
    labels_due_hours: Annotated[int, Field(gt=0)]
    """A prediction's label should be known this long after it."""
    join_days: Annotated[int, Field(gt=0)]
    """Predictions are looked for this far back; what waits for its label, for ever."""
    min_label_share: Annotated[float, Field(ge=0, le=1)]
    """A day with fewer outcomes known is not judged by its labels, 0 to 1."""
    min_labelled_rows: Annotated[int, Field(gt=0)]
    """Nor is one, or a slice of one, with fewer labels."""
    drift: Drift
    decline: Decline
    checks: tuple[MonitoringCheck, ...]
    """What is asked of each day."""
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


class Config(Section):
    """The whole use case."""

    subject: Subject
    source: Source
    label: Annotated[Binary | Regression, Field(discriminator="kind")]
    prediction: Prediction
    request_features: Columns
    """Known when a prediction is asked: the caller, or the subject's table, brings them."""
    settings: Annotated[dict[str, Any], Field(default_factory=dict)]
    """What the use case's own code wants to know; `use_case/settings.py` says what that is, and checks it."""
    training: Training
    validation: Validation
    slices: tuple[str, ...]
    """Columns: each of their values is judged and watched by itself."""
    serving: Serving
    monitoring: Monitoring

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for bound in self.validation.bounds:
            check_known("metric", bound.metric, self.label.metrics, "validation")
        for compared in self.validation.performance.against_champion:
            check_known("metric", compared.metric, self.label.by_day, "validation.performance.against_champion")
        for check in self.monitoring.checks:
            check_known("figure", check.metric, (*FIGURES, *self.label.daily), "monitoring.checks")
        for name in self.validation.behaviour.unseen:
            check_known("column", name, self.request_features.categorical, "validation.behaviour.unseen")
        for kind, names in (("request features", self.request_features.all), ("slices and bands", self.slice_keys)):
            if len(set(names)) < len(names):
                raise ValueError(f"two {kind} have the same name: {', '.join(sorted(names))}")
        return self

    @property
    def request_columns(self) -> tuple[str, ...]:
        """The columns of the subject's table that a model is asked with: keys, moments, request features."""
        subject = self.subject
        own = (*subject.key, subject.event_time, *subject.lookup_keys, subject.prediction_time)
        return tuple(dict.fromkeys((*own, *self.request_features.all)))

    @property
    def filed_columns(self) -> tuple[str, ...]:
        """Those of them that are no inputs of a model."""
        return tuple(name for name in self.request_columns if name not in self.request_features.all)

    @property
    def slice_keys(self) -> tuple[str, ...]:
        """The kinds of slices that validation judges by."""
        return *self.slices, *(bands.name for bands in self.validation.slices.bands)

    @property
    def history_start(self) -> datetime:
        """The first moment of the history, UTC."""
        return self.source.history_start


def config_file() -> Path:
    """The configuration of the use case that is installed here.

    Raises:
        FileNotFoundError: there is none.
    """
    found = find_spec("use_case")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("there is no folder use_case: it has the configuration, config.yml")
    return Path(found.submodule_search_locations[0]) / "config.yml"


def load_config(path: Path | None = None, *, history_start: str = "", validation_days: str = "") -> Config:
    """Reads and checks the configuration.

    Args:
        path: the file; None for the one of the folder `use_case`.
        history_start: takes the place of `source.history_start` for this deployment; empty leaves the file's.
        validation_days: the same of `training.validation_days`.

    Raises:
        pydantic.ValidationError: a key is unknown, missing or of the wrong type; it names the key.
        ValueError: a key is there twice; it names key and lines.
    """
    content = yaml.load((path or config_file()).read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a safe loader)
    if history_start:
        content["source"]["history_start"] = history_start
    if validation_days:
        content["training"]["validation_days"] = validation_days
    return Config.model_validate(content)

"""What is usual: the days that a version was validated on, and those that were scored and validated before."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import pandas as pd
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from monitoring.columns import WatchedColumns
from monitoring.drift import Days
from project.config import Config
from project.tables import Tables, quoted

_DAY, _VERSION, _IS_BASELINE, _BUCKET, _ROWS = "_day", "_version", "_is_baseline", "_bucket", "_rows"
_OWNERS = f"{_DAY} bigint, {_VERSION} int, {_IS_BASELINE} boolean, {_ROWS} bigint"
_DAY_SECONDS, _BUCKETS = 86_400, 2**31
# What columns say of each other takes few rows of many days; the ranking of a small slice takes many rows of each.
_INPUTS_A_DAY, _ANSWERS_A_DAY = 250, 5_000
# As the monitor's profile of days has them.
_STATISTICS: Mapping[str, Callable[[Column], Column]] = MappingProxyType(
    {
        "avg": F.avg,
        "stddev": F.stddev,
        "min": F.min,
        "max": F.max,
        "percent_null": lambda column: 100 * F.avg(column.isNull().cast("double")),
    }
)


@dataclass(frozen=True)
class Sample:
    """Rows of days, drawn by their keys where a day has many.

    Attributes:
        rows: some of their columns.
        day: the start of each row's day (UTC).
    """

    rows: pd.DataFrame
    day: pd.Series


@dataclass(frozen=True)
class Reference:
    """The last days before a version was trained.

    Attributes:
        days: the figures of each day, of all its rows.
        inputs: a few rows of each day: the watched columns of numbers.
        answers: many rows of each day: the prediction, when it was asked, the label, the columns of the slices.
    """

    days: Days
    inputs: Sample
    answers: Sample

    @classmethod
    def of(cls, rows: pd.DataFrame, day: pd.Series, numeric: Sequence[str], texts: Sequence[str]) -> Self:
        """Of rows in memory, all of them."""
        every = Sample(rows, day)
        return cls(Days.of(rows, day, numeric, texts), every, every)


def read_reference(
    spark: SparkSession, tables: Tables, version: str, columns: WatchedColumns, config: Config
) -> Reference:
    """Measures the days up to the end of a version's baseline, as many as `monitoring.drift.reference_days`.

    A day is that of the newest baseline that has it, else of the version that scored most of it: no prediction in it is
    of a model that had learned from the row. A day with few rows is left out. What comes into memory is figures of
    days, and so many rows of a day at most, however many were scored. Where the version has no baseline, there is none.
    """
    asked = config.subject.prediction_time
    moment, number = F.col(asked), F.col("model_version").cast("int")
    day, own = F.unix_seconds(F.date_trunc("day", moment)), int(version or 0)
    baseline = spark.table(tables.inference_baseline).filter(number <= own)
    # Without a baseline, a time of which there is nothing.
    newest = baseline.filter(number == own).agg(F.max(day).alias("day")).collect()[0]["day"] or 0
    end = newest + _DAY_SECONDS
    start = end - config.monitoring.drift.reference_days * _DAY_SECONDS
    # The prediction is one of the watched columns.
    slices, label = [name for name in config.slices if name.isidentifier()], config.label.column
    names = dict.fromkeys([*columns.numeric, *columns.categorical, *slices, label, asked])

    def recent(rows: DataFrame, is_baseline: bool) -> DataFrame:
        filed = {
            _DAY: day,
            _VERSION: number,
            _IS_BASELINE: F.lit(is_baseline),
            _BUCKET: F.pmod(F.xxhash64(*config.subject.key), F.lit(_BUCKETS)),
        }
        bounded = rows.filter((moment >= _at(start)) & (moment < _at(end)))
        return bounded.select(*map(quoted, names), *(column.alias(name) for name, column in filed.items()))

    both = recent(spark.table(tables.inference_log), False).unionByName(recent(baseline, True))
    counted = both.groupBy(_DAY, _VERSION, _IS_BASELINE).agg(F.count(F.lit(1)).alias(_ROWS)).collect()
    owners = spark.createDataFrame(_owners(counted, config.monitoring.min_labelled_rows), _OWNERS)
    rows = both.join(F.broadcast(owners), [_DAY, _VERSION, _IS_BASELINE])
    return Reference(
        Days(_numbers(rows, columns.numeric), _shares(rows, columns.categorical)),
        _sample(rows, columns.numeric, _INPUTS_A_DAY),
        _sample(rows, dict.fromkeys([*slices, label, config.prediction.column, asked]), _ANSWERS_A_DAY),
    )


def _owners(counted: Iterable[Row], least_rows: int) -> list[Row]:
    """Whose rows stand for each day that has enough; not those of a baseline that begins or ends amid the day."""
    by_day: dict[int, list[Row]] = defaultdict(list)
    for row in counted:
        by_day[row[_DAY]].append(row)
    found = []
    for rows in by_day.values():
        most = max(row[_ROWS] for row in rows)
        if most >= least_rows:
            whole = (row for row in rows if 2 * row[_ROWS] >= most)
            found.append(max(whole, key=lambda row: (row[_IS_BASELINE], row[_VERSION if row[_IS_BASELINE] else _ROWS])))
    return found


def _numbers(rows: DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """As `Days.numbers`."""
    figures = {(of, name): measure(F.col(quoted(name))) for of, measure in _STATISTICS.items() for name in columns}
    measured = [figure.alias(f"figure_{place}") for place, figure in enumerate(figures.values())]
    found = _by_day(rows.groupBy(_DAY).agg(*measured))
    return found.set_axis(pd.MultiIndex.from_tuples(list(figures)), axis=1).astype(float)


def _shares(rows: DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """As `Days.shares`."""
    texts = [F.struct(F.lit(name).alias("column"), F.col(quoted(name)).alias("item")) for name in columns]
    if not texts:
        return pd.DataFrame()
    every = rows.select(_DAY, F.explode(F.array(*texts)).alias("text")).select(_DAY, "text.column", "text.item")
    counted = _by_day(every.dropna().groupBy(_DAY, "column", "item").count())
    wide = counted.set_index(["column", "item"], append=True)["count"].unstack(["column", "item"]).sort_index(axis=1)
    known: pd.DataFrame = wide.fillna(0.0)
    return known / known.T.groupby(level=0).transform("sum").T


def _sample(rows: DataFrame, columns: Iterable[str], most: int) -> Sample:
    """So many rows of each day at most."""
    drawn = rows.filter(F.col(_BUCKET) * F.col(_ROWS) < F.lit(_BUCKETS * most))
    # In one order, so that sums are the same each time.
    found = _by_day(drawn.select(_DAY, _BUCKET, *map(quoted, columns))).sort_values([_DAY, _BUCKET]).reset_index()
    return Sample(found.drop(columns=[_DAY, _BUCKET]), found[_DAY])


def _by_day(rows: DataFrame) -> pd.DataFrame:
    """In memory, by the start of the day (UTC)."""
    found: pd.DataFrame = rows.toArrow().to_pandas()
    return found.assign(**{_DAY: pd.to_datetime(found[_DAY], unit="s", utc=True)}).set_index(_DAY).sort_index()


def _at(seconds: int) -> Column:
    return F.timestamp_seconds(F.lit(seconds))

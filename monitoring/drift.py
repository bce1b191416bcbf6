"""How far each column's values lie from the baseline's, the rows that the model version was validated on."""

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import Window as Partition
from pyspark.sql import functions as F

from monitoring.column_profile import QUANTILES
from monitoring.columns import WatchedColumns
from monitoring.windows import Window, in_all_windows, with_windows

# Stands for a share of 0 in the index, whose logarithm has no value there: one row in ten thousand.
EMPTY_BIN_SHARE = 1e-4
_DECIMALS = 9
_EDGES = tuple(f"_edge_{place}" for place in range(len(QUANTILES)))
_COLUMN = ("window", "granularity", "model_version", "column_name")


def drift(
    log: DataFrame,
    baseline: DataFrame,
    deciles: DataFrame,
    judged: Window,
    as_of: datetime,
    columns: WatchedColumns,
) -> DataFrame:
    """Distance of each window's values from the baseline of the same model version, column by column.

    Numbers fall into bins between the deciles of the baseline; what lies below its least and above its
    greatest value has a bin each. Texts are their own bins. NULL is a bin of its own.

    Args:
        log: scored rows with `prediction_at` (at most as_of) and `model_version`.
        baseline: the baseline's rows with `window` and `model_version`.
        deciles: `model_version`, `column_name` and `quantiles` of the baseline's numbers.
        judged: the window that the verdict is about; it and the days since its start are compared.
        as_of: the moment of this run.
        columns: what is compared.

    Returns:
        `window`, `granularity`, `window_cmp` (the baseline's window), `model_version`, `column_name`;
        `percent_null_delta` (percentage points, the window's minus the baseline's);
        `population_stability_index`: sum over bins of (q - p) ln(q / p), p the baseline's share and q the
        window's, each at least 0.0001 (Siddiqi, Credit Risk Scorecards, 2006);
        `js_distance`: square root of the Jensen-Shannon divergence of p and q, natural logarithm, 0 to 0.83
        (Endres and Schindelin, 2003).
    """
    flat = (F.col("quantiles")[place].alias(name) for place, name in enumerate(_EDGES))
    edges = deciles.select("model_version", "column_name", *flat)
    days = log.filter(F.col("prediction_at") >= F.lit(judged.start)).withColumn(
        "prediction_at", F.date_trunc("day", "prediction_at")
    )
    by_day = _binned(days, ("prediction_at", "model_version"), edges, columns)
    now = with_windows(by_day, judged).drop("prediction_at")
    before = _binned(baseline, ("window", "model_version"), edges, columns)
    expected = before.withColumnsRenamed({"window": "window_cmp", "rows": "baseline_rows"})
    return _distances(_shares(now, in_all_windows(expected, judged, as_of)))


def _binned(rows: DataFrame, keys: Sequence[str], edges: DataFrame, columns: WatchedColumns) -> DataFrame:
    """Counts `rows` by keys, `column_name` and `bin`; a NULL bin holds the NULLs."""
    numbers = _one_value_a_row(rows, keys, columns.numeric, "double").join(
        F.broadcast(edges), ["model_version", "column_name"], "left"
    )
    texts = _one_value_a_row(rows, keys, columns.categorical, "string")
    groups = [*keys, "column_name", "bin"]
    binned = (
        numbers.withColumn("bin", _decile())
        .select(*groups)
        .unionByName(texts.withColumnRenamed("value", "bin").select(*groups))
    )
    return binned.groupBy(*groups).agg(F.count("*").alias("rows"))


def _one_value_a_row(rows: DataFrame, keys: Sequence[str], columns: Sequence[str], data_type: str) -> DataFrame:
    cast = rows.select(*keys, *(F.col(name).cast(data_type).alias(name) for name in columns))
    return cast.unpivot(list(keys), list(columns), "column_name", "value")


def _decile() -> Column:
    """0 below the baseline, 1 to 10 its deciles, 11 above; -1 where the baseline knows NULLs only."""
    value, least, *others = (F.col(name) for name in ("value", *_EDGES))
    place = sum(((value > edge).cast("int") for edge in others), (value >= least).cast("int"))
    return F.when(value.isNotNull(), F.coalesce(place, F.lit(-1))).cast("string")


def _shares(now: DataFrame, expected: DataFrame) -> DataFrame:
    """Each bin that either side has, with its share `q` of the window's rows and `p` of the baseline's.

    Versions without a baseline are left out, and windows without rows.
    """
    bins = (
        now.unionByName(expected, allowMissingColumns=True)
        .groupBy(*_COLUMN, "bin")
        .agg(
            F.max("window_cmp").alias("window_cmp"),
            F.coalesce(F.sum("rows"), F.lit(0)).alias("rows"),
            F.coalesce(F.sum("baseline_rows"), F.lit(0)).alias("baseline_rows"),
        )
    )
    whole = Partition.partitionBy(*_COLUMN)
    totals = bins.withColumns(
        {
            "window_cmp": F.max("window_cmp").over(whole),
            "_all": F.sum("rows").over(whole),
            "_all_of_baseline": F.sum("baseline_rows").over(whole),
        }
    )
    return totals.filter((F.col("_all") > 0) & (F.col("_all_of_baseline") > 0)).select(
        *_COLUMN,
        "window_cmp",
        "bin",
        (F.col("rows") / F.col("_all")).alias("q"),
        (F.col("baseline_rows") / F.col("_all_of_baseline")).alias("p"),
    )


def _distances(shares: DataFrame) -> DataFrame:
    p, q = F.col("p"), F.col("q")
    floored_p, floored_q = (F.greatest(share, F.lit(EMPTY_BIN_SHARE)) for share in (p, q))
    stability = F.sum((floored_q - floored_p) * F.ln(floored_q / floored_p))
    middle = (p + q) / 2
    divergence = F.sum(_relative(p, middle) + _relative(q, middle)) / 2
    nulls = 100 * F.sum(F.when(F.col("bin").isNull(), q - p).otherwise(0.0))
    return shares.groupBy(*_COLUMN, "window_cmp").agg(
        F.round(nulls, _DECIMALS).alias("percent_null_delta"),
        F.round(stability, _DECIMALS).alias("population_stability_index"),
        F.round(F.sqrt(F.greatest(divergence, F.lit(0.0))), _DECIMALS).alias("js_distance"),
    )


def _relative(share: Column, middle: Column) -> Column:
    """A bin's part of the Kullback-Leibler divergence of `share` from `middle`."""
    return F.when(share > 0, share * F.ln(share / middle)).otherwise(0.0)

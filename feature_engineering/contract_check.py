"""Parts landed rows into those that keep the contract and those that do not, with the reason."""

from collections.abc import Iterable

import pandas as pd
import pandera.errors
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType, StructField, StructType, TimestampType

from feature_engineering.contracts import Contract

_NOT_OF_ITS_TYPE = "not of its type"
# The columns of the table `quarantine`.
QUARANTINE = StructType(
    [
        StructField("source", StringType()),
        StructField("landed_as_of", TimestampType()),
        StructField("reason", StringType()),
        StructField("row", StringType()),
        StructField("occurrences", LongType()),
    ]
)


def judge(landed: DataFrame, contract: Contract, *, in_each_landing: bool = False) -> DataFrame:
    """Adds `reason` to each landed row: why it is refused, NULL where it is not.

    Args:
        landed: the contract's columns as text, and `landed_as_of`.
        contract: the source's contract.
        in_each_landing: of each landing one row of a key is accepted, and not the newest of all.

    Returns:
        The rows with `reason` and `is_newest`: true on the one accepted row of each key that landed last. Of rows with
        one key in one landing, one is accepted.
    """

    def judge_batches(batches: Iterable[pd.DataFrame]) -> Iterable[pd.DataFrame]:
        for batch in batches:
            yield batch.assign(reason=refusals(batch[list(contract.types)], contract))

    fields = [*landed.schema.fields, StructField("reason", StringType())]
    judged = landed.mapInPandas(judge_batches, StructType(fields))
    # What pandas converts, Spark may not, and Spark stores it; of moments pandas is not asked.
    typed = {name: F.col(name).try_cast(kind) for name, kind in contract.types.items()}
    reasons = F.concat_ws("; ", "reason", *(_unless_read(name, value) for name, value in typed.items()))
    judged = judged.withColumn("reason", F.nullif(reasons, F.lit("")))
    # Which one is kept must not depend on the order in which the rows are read.
    newest_first = (F.desc("landed_as_of"), F.xxhash64(*contract.types))
    key = [*(typed[name] for name in contract.key), *([F.col("landed_as_of")] if in_each_landing else [])]
    same_key = Window.partitionBy(*key, F.col("reason").isNull()).orderBy(*newest_first)
    place = F.row_number().over(same_key)
    is_repeated = F.lag("landed_as_of").over(same_key) == F.col("landed_as_of")
    return judged.withColumns(
        {
            "reason": F.coalesce("reason", F.when(is_repeated, f"duplicate {', '.join(contract.key)}")),
            "is_newest": F.col("reason").isNull() & (place == 1),
        }
    )


def refusals(rows: pd.DataFrame, contract: Contract) -> pd.Series:
    """Why each row breaks the contract's schema: text like `temp: not in -60 to 130`, or None.

    Raises:
        ValueError: a check could not be made; it names column and check.
    """
    cases = _failures(rows, contract)
    ill_typed = cases["reason"].str.endswith(_NOT_OF_ITS_TYPE)
    if ill_typed.any():
        # A column with a value that can't be converted is checked no further: without such values, it is.
        cells = cases.loc[ill_typed & cases["index"].notna(), ["index", "column"]]
        cases = pd.concat([cases[ill_typed], _failures(_without(rows, cells), contract, but=cells)])
    unmade = cases.loc[cases["index"].isna(), "reason"]
    if not unmade.empty:
        raise ValueError(f"{contract.source} could not be checked: {unmade.iloc[0]}")
    reasons = cases["reason"].groupby(cases["index"]).agg(lambda found: "; ".join(sorted(set(found))))
    found: pd.Series = reasons.reindex(rows.index).astype(object).where(lambda reason: reason.notna(), None)
    return found


def _failures(rows: pd.DataFrame, contract: Contract, but: pd.DataFrame | None = None) -> pd.DataFrame:
    """`index`, `column` and `reason` of each fault; of none in the cells `but`."""
    try:
        contract.schema.validate(rows, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return pd.DataFrame({"index": [], "column": [], "reason": pd.Series(dtype=str)})
    of_column = cases["schema_context"] == "Column"
    reason = cases["check"].where(~of_column, cases["column"] + ": " + cases["check"].map(_in_words))
    named: pd.DataFrame = cases[["index", "column"]].assign(reason=reason)
    if but is not None:
        is_excepted = pd.MultiIndex.from_frame(named[["index", "column"]]).isin(pd.MultiIndex.from_frame(but))
        named = named[~is_excepted]
    return named


def _without(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    emptied = rows.copy()
    for index, column in cells.itertuples(index=False):
        emptied.loc[index, column] = None
    return emptied


def accepted(judged: DataFrame, contract: Contract) -> DataFrame:
    """The newest accepted row of each key, in the contract's types, and `landed_as_of`."""
    typed = [F.col(name).cast(kind).alias(name) for name, kind in contract.types.items()]
    return judged.filter("is_newest").select(*typed, "landed_as_of")


def refused(judged: DataFrame, contract: Contract) -> DataFrame:
    """The refused rows as the table `quarantine` holds them: `row` as JSON, equal ones once, with their number."""
    source, row = F.lit(contract.source).alias("source"), F.to_json(F.struct(*contract.types)).alias("row")
    refusals = judged.filter(F.col("reason").isNotNull())
    return refusals.groupBy(source, "landed_as_of", "reason", row).agg(F.count(F.lit(1)).alias("occurrences"))


def _unless_read(name: str, value: Column) -> Column:
    fault = f"{name}: {_NOT_OF_ITS_TYPE}"
    is_new = ~F.coalesce(F.contains("reason", F.lit(fault)), F.lit(False))
    return F.when(F.col(name).isNotNull() & value.isNull() & is_new, fault)


def _in_words(check: str) -> str:
    if check == "not_nullable":
        return "missing"
    return _NOT_OF_ITS_TYPE if check.startswith(("coerce_dtype", "dtype")) else check

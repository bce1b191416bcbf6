"""Parts landed rows into those that keep the contract and those that do not, with the reason."""

from collections.abc import Iterable

import pandas as pd
import pandera.errors
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from feature_engineering.contracts import Contract


def judge(landed: DataFrame, contract: Contract) -> DataFrame:
    """Adds `reason` to each landed row: why it is refused, NULL where it is not.

    Args:
        landed: the contract's columns as text, and `landed_as_of`.
        contract: the source's contract.

    Returns:
        The rows with `reason` and `is_newest`: true on the one accepted row of each key that landed last. Of rows with
        one key in one landing, one is accepted.
    """

    def judge_batches(batches: Iterable[pd.DataFrame]) -> Iterable[pd.DataFrame]:
        for batch in batches:
            yield batch.assign(reason=refusals(batch[list(contract.types)], contract))

    fields = [*landed.schema.fields, StructField("reason", StringType())]
    judged = landed.mapInPandas(judge_batches, StructType(fields))
    # Which one is kept must not depend on the order in which the rows are read.
    newest_first = (F.desc("landed_as_of"), F.xxhash64(*contract.types))
    same_key = Window.partitionBy(*contract.key, F.col("reason").isNull()).orderBy(*newest_first)
    place = F.row_number().over(same_key)
    is_repeated = F.lag("landed_as_of").over(same_key) == F.col("landed_as_of")
    return judged.withColumns(
        {
            "reason": F.coalesce("reason", F.when(is_repeated, f"duplicate {', '.join(contract.key)}")),
            "is_newest": F.col("reason").isNull() & (place == 1),
        }
    )


def refusals(rows: pd.DataFrame, contract: Contract) -> pd.Series:
    """Why each row breaks the contract's schema: text like `temp: not in -60 to 130`, or None."""
    try:
        contract.schema.validate(rows, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases.dropna(subset=["index"])
        texts = cases["column"] + ": " + cases["check"].map(_in_words)
        reasons = texts.groupby(cases["index"]).agg(lambda found: "; ".join(sorted(set(found))))
        found: pd.Series = reasons.reindex(rows.index).astype(object).where(lambda reason: reason.notna(), None)
        return found
    return pd.Series(None, index=rows.index, dtype=object)


def accepted(judged: DataFrame, contract: Contract) -> DataFrame:
    """The newest accepted row of each key, in the contract's types."""
    typed = [F.col(name).cast(kind).alias(name) for name, kind in contract.types.items()]
    return judged.filter("is_newest").select(*typed)


def refused(judged: DataFrame, contract: Contract) -> DataFrame:
    """The refused rows as the table `quarantine` holds them: `row` as JSON, equal ones once, with their number."""
    source, row = F.lit(contract.source).alias("source"), F.to_json(F.struct(*contract.types)).alias("row")
    refusals = judged.filter(F.col("reason").isNotNull())
    return refusals.groupBy(source, "landed_as_of", "reason", row).agg(F.count(F.lit(1)).alias("occurrences"))


def _in_words(check: str) -> str:
    if check == "not_nullable":
        return "missing"
    return "not of its type" if check.startswith(("coerce_dtype", "dtype")) else check

"""Calls both clients with the same arguments and compares what they return."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import Any

from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Lookup:
    """A FeatureLookup that belongs to neither client yet."""

    table_name: str
    lookup_key: list[str]
    options: dict[str, Any] = field(default_factory=dict)

    def of(self, package: ModuleType) -> Any:
        return package.FeatureLookup(table_name=self.table_name, lookup_key=self.lookup_key, **self.options)


def training_set(package: ModuleType, df: DataFrame, lookups: list[Lookup], **options: Any) -> Any:
    made = [lookup.of(package) for lookup in lookups]
    return package.FeatureEngineeringClient().create_training_set(df=df, feature_lookups=made, **options)


def assert_same(ours: DataFrame, theirs: DataFrame) -> None:
    """The same columns in the same order, the same types, the same rows as often."""
    assert ours.dtypes == theirs.dtypes
    assert rows(ours) == rows(theirs)


def rows(df: DataFrame) -> Counter[str]:
    """NaN is equal to itself here, and NULL is not NaN."""
    return Counter(repr(tuple(row)) for row in df.collect())


def error_of(call: Callable[[], object]) -> type[Exception] | None:
    try:
        call()
    except Exception as error:
        return type(error)
    return None


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)

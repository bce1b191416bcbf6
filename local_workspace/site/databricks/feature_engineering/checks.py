"""What has to hold before features are looked up; each failure names the table and the column."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from .lookup import FeatureLookup, as_list
from .spec import LookedUpColumn
from .tables import FeatureTable
from .unsupported import refuse


def check_labels(df: DataFrame, labels: Sequence[str], exclude_columns: Sequence[str]) -> None:
    """Every label is a column of the dataframe and is kept."""
    for label in labels:
        if label not in df.columns:
            raise ValueError(f"Label column '{label}' was not found in the dataframe.")
        if label in exclude_columns:
            raise ValueError(f"Label column '{label}' cannot be excluded.")


def check_lookup(df: DataFrame, lookup: FeatureLookup, table: FeatureTable, features: DataFrame) -> None:
    """The lookup's columns are in the dataframe and fit the table's keys; its features are in the table."""
    _check_pairs(df, features, table.name, "lookup_key", (lookup.lookup_key, table.lookup_keys))
    times = as_list(lookup.timestamp_lookup_key)
    _check_pairs(df, features, table.name, "timestamp_lookup_key", (times, table.timestamp_keys))
    for name in lookup.feature_names:
        if name not in table.features:
            raise ValueError(f"Unable to find feature '{name}' in feature table '{table.name}'.")


def check_outputs(df: DataFrame, looked_up: Sequence[LookedUpColumn]) -> None:
    """No looked-up column hides another one, and the lookups can be written down as a specification."""
    names = [item.name for item in looked_up]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Found duplicate feature output names {repeated}.")
    if hidden := [name for name in names if name in df.columns]:
        raise ValueError(f"The dataframe has columns with the names of looked-up features: {hidden}.")
    lookups = [(item.table_name, item.feature_name, item.on.keys) for item in looked_up]
    refuse(looking_up_a_feature_twice=len(set(lookups)) < len(lookups))
    windows = {(item.table_name, item.on.lookback_window) for item in looked_up}
    refuse(two_lookback_windows_on_one_table=len(windows) > len({table_name for table_name, _ in windows}))


def _check_pairs(
    df: DataFrame,
    features: DataFrame,
    table_name: str,
    argument: str,
    columns: tuple[Sequence[str], Sequence[str]],
) -> None:
    given, keys = columns
    if len(given) != len(keys):
        raise ValueError(
            f"Unable to join feature table '{table_name}': {argument} {list(given)} is not for {list(keys)}."
        )
    for name, key in zip(given, keys, strict=True):
        if name not in df.columns:
            raise ValueError(f"Could not find column '{name}' of {argument} for feature table '{table_name}'.")
        here, there = df.schema[name].dataType, features.schema[key].dataType
        if here != there:
            raise ValueError(
                f"Unable to join feature table '{table_name}': '{key}' is {there.simpleString()} "
                f"but column '{name}' is {here.simpleString()}."
            )

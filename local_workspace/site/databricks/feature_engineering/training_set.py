"""From lookups to a specification, and from a specification to rows with features."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame

from . import tables
from .checks import check_labels, check_lookup, check_outputs
from .identifiers import column
from .lookup import FeatureLookup, as_list
from .point_in_time import JoinKeys, Wanted, join_features, moments_of, within_reach
from .spec import FeatureSpec, LookedUpColumn, SourceColumn


@dataclass(frozen=True)
class TrainingSet:
    """Rows with labels, and where their features are to be looked up."""

    df: DataFrame
    feature_spec: FeatureSpec
    labels: tuple[str, ...]

    def load_df(self) -> DataFrame:
        """The columns of the model, then the labels."""
        joined = look_up(self.df, self.feature_spec)
        return joined.select(*(column(name) for name in (*self.feature_spec.model_inputs, *self.labels)))


def plan(
    df: DataFrame,
    lookups: Sequence[FeatureLookup],
    labels: Sequence[str],
    exclude_columns: Sequence[str],
) -> TrainingSet:
    """Checks lookups against the dataframe and the tables and says where each column comes from."""
    check_labels(df, labels, exclude_columns)
    looked_up = [item for lookup in lookups for item in _resolve(df, lookup, labels)]
    check_outputs(df, looked_up)
    looked_up = [item for item in looked_up if item.name not in exclude_columns]
    keys = {key for item in looked_up for key, _ in item.on.keys}
    sources = [
        SourceColumn(name, include=name not in exclude_columns)
        for name in df.columns
        if name not in labels and (name not in exclude_columns or name in keys)
    ]
    return TrainingSet(df, FeatureSpec(tuple(sources), tuple(looked_up)), tuple(labels))


def look_up(df: DataFrame, spec: FeatureSpec) -> DataFrame:
    """Adds the features that the dataframe does not have yet, in the order of the specification."""
    wanted = [item for item in spec.looked_up_columns if item.name not in df.columns]
    times = {time for item in wanted if item.on.lookback_window is not None for time, _ in item.on.times}
    moments = {time: moments_of(df, time) for time in times}
    tables_wanted: list[Wanted] = []
    found: dict[str, Column] = {}
    for i, ((table_name, on), items) in enumerate(_grouped(wanted).items()):
        known, into = tables.read(df.sparkSession, table_name), f"__found_{i}"
        features = within_reach(known, on, moments[on.times[0][0]]) if on.lookback_window is not None else known
        tables_wanted.append(Wanted(features, on, tuple(item.feature_name for item in items), into))
        found |= {item.name: column(item.feature_name, of=into).alias(item.name) for item in items}
    joined = join_features(df, tables_wanted)
    return joined.select(*(column(name) for name in df.columns), *(found[item.name] for item in wanted))


def _grouped(wanted: Sequence[LookedUpColumn]) -> dict[tuple[str, JoinKeys], list[LookedUpColumn]]:
    """Columns by the join that finds them, so that each table is joined once."""
    joins: dict[tuple[str, JoinKeys], list[LookedUpColumn]] = {}
    for item in wanted:
        joins.setdefault((item.table_name, item.on), []).append(item)
    return joins


def _resolve(df: DataFrame, lookup: FeatureLookup, labels: Sequence[str]) -> list[LookedUpColumn]:
    table = tables.get(df.sparkSession, lookup.table_name)
    features = tables.read(df.sparkSession, table.name)
    check_lookup(df.drop(*labels), lookup, table, features)
    names = lookup.feature_names or sorted(set(table.features) - set(table.primary_keys))
    times = as_list(lookup.timestamp_lookup_key)
    on = JoinKeys(
        keys=tuple(zip(lookup.lookup_key, table.lookup_keys, strict=True)),
        times=tuple(zip(times, table.timestamp_keys, strict=True)),
        lookback_window=lookup.lookback_window,
    )
    return [LookedUpColumn(lookup.output_name(name), table.name, name, on) for name in names]

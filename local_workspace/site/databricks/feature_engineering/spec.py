"""The feature specification: where each input of a model comes from; saved beside the model, as YAML."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

from .point_in_time import JoinKeys

_TRAINING_DATA, _FEATURE_STORE = "training_data", "feature_store"


@dataclass(frozen=True)
class SourceColumn:
    """A column that the caller brings; if it is not included the model does not see it."""

    name: str
    include: bool = True


@dataclass(frozen=True)
class LookedUpColumn:
    """A column that is looked up in a feature table."""

    name: str
    table_name: str
    feature_name: str
    on: JoinKeys


@dataclass(frozen=True)
class FeatureSpec:
    """The inputs of a model, in order."""

    source_columns: tuple[SourceColumn, ...]
    looked_up_columns: tuple[LookedUpColumn, ...]

    @property
    def model_inputs(self) -> list[str]:
        """The columns that the model sees."""
        return [column.name for column in self.source_columns if column.include] + [
            column.name for column in self.looked_up_columns
        ]

    def required_columns(self, given: Collection[str]) -> list[str]:
        """The columns a caller has to bring who already has the `given` ones."""
        required = [column.name for column in self.source_columns if column.include]
        for column in self.looked_up_columns:
            if column.name not in given:
                required += [name for name, _ in (*column.on.keys, *column.on.times)]
        return list(dict.fromkeys(required))


def to_yaml(spec: FeatureSpec) -> str:
    """Writes a specification."""
    columns = [_source_entry(column) for column in spec.source_columns]
    columns += [_lookup_entry(column) for column in spec.looked_up_columns]
    return yaml.safe_dump({"input_columns": columns}, sort_keys=False)


def from_yaml(text: str) -> FeatureSpec:
    """Reads a specification."""
    entries = [next(iter(entry.items())) for entry in yaml.safe_load(text)["input_columns"]]
    return FeatureSpec(
        source_columns=tuple(
            SourceColumn(name, entry.get("include", True))
            for name, entry in entries
            if entry["source"] == _TRAINING_DATA
        ),
        looked_up_columns=tuple(
            _looked_up(name, entry) for name, entry in entries if entry["source"] == _FEATURE_STORE
        ),
    )


def _source_entry(column: SourceColumn) -> dict[str, dict[str, Any]]:
    return {column.name: {"source": _TRAINING_DATA, **({} if column.include else {"include": False})}}


def _lookup_entry(column: LookedUpColumn) -> dict[str, dict[str, Any]]:
    on = column.on
    entry: dict[str, Any] = {
        "source": _FEATURE_STORE,
        "table_name": column.table_name,
        "feature_name": column.feature_name,
        "lookup_key": [list(pair) for pair in on.keys],
        "timestamp_lookup_key": [list(pair) for pair in on.times],
    }
    if on.lookback_window is not None:
        # Whole microseconds: a float of seconds would move the edge of the window.
        entry["lookback_window_microseconds"] = on.lookback_window // timedelta(microseconds=1)
    return {column.name: entry}


def _looked_up(name: str, entry: dict[str, Any]) -> LookedUpColumn:
    microseconds = entry.get("lookback_window_microseconds")
    return LookedUpColumn(
        name=name,
        table_name=entry["table_name"],
        feature_name=entry["feature_name"],
        on=JoinKeys(
            keys=_pairs(entry["lookup_key"]),
            times=_pairs(entry["timestamp_lookup_key"]),
            lookback_window=None if microseconds is None else timedelta(microseconds=microseconds),
        ),
    )


def _pairs(entry: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((label, feature) for label, feature in entry)

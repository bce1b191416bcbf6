"""What a caller asks for: features of one table, found by key and, for a time series, as of a time."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from .unsupported import refuse


class FeatureLookup:
    """Features to look up in one feature table.

    Args:
        table_name: The feature table.
        lookup_key: The columns of the dataframe that hold the table's primary key (without its time series
            column), in the order of the primary key.
        feature_names: The features to take; none means all of them.
        rename_outputs: New names of features, by feature name.
        timestamp_lookup_key: The column of the dataframe that says as of when: only the latest row at or
            before it is seen.
        lookback_window: How old that row may be, at most and inclusive.
        default_values: Not supported by the local client.
        unsupported: Arguments that the local client does not know.
    """

    def __init__(
        self,
        table_name: str,
        lookup_key: str | list[str],
        *,
        feature_names: str | list[str] | None = None,
        rename_outputs: dict[str, str] | None = None,
        timestamp_lookup_key: str | None = None,
        lookback_window: timedelta | None = None,
        default_values: dict[str, Any] | None = None,
        **unsupported: object,
    ) -> None:
        """Keeps the request after checking what can be checked without the table."""
        refuse(default_values=default_values, **dict.fromkeys(unsupported, True))
        _check_lookback(lookback_window, timestamp_lookup_key)
        self.table_name = table_name
        self.lookup_key = as_list(lookup_key)
        self.feature_names = as_list(feature_names)
        self.rename_outputs: Mapping[str, str] = dict(rename_outputs or {})
        self.timestamp_lookup_key = timestamp_lookup_key
        self.lookback_window = lookback_window

    def output_name(self, feature_name: str) -> str:
        """The column that a feature becomes."""
        return self.rename_outputs.get(feature_name, feature_name)


def as_list(names: str | Sequence[str] | None) -> list[str]:
    """One name or several or none, as a list."""
    if names is None:
        return []
    return [names] if isinstance(names, str) else list(names)


def _check_lookback(lookback_window: timedelta | None, timestamp_lookup_key: str | None) -> None:
    if lookback_window is None:
        return
    if not isinstance(lookback_window, timedelta) or lookback_window < timedelta(0):
        raise ValueError(f"lookback_window must be a timedelta of zero or more, not {lookback_window!r}.")
    if not timestamp_lookup_key:
        raise ValueError("lookback_window needs a timestamp_lookup_key: it applies to time series tables only.")

"""Which features a prediction looks up, and how old they may be."""

from datetime import timedelta

from databricks.feature_engineering import FeatureLookup

from project.tables import Tables

_MOMENT = "prediction_at"


def feature_lookups(tables: Tables) -> list[FeatureLookup]:
    """All features of each table, as they were known at `prediction_at`.

    A row older than the lookback counts as unknown: weather is observed hourly, traffic is counted each quarter of an
    hour, lateness each midnight, and a leg says little about an aircraft a night later.
    """
    return [
        _lookup(tables.weather_features, ["origin"], timedelta(hours=6)),
        _lookup(tables.congestion_features, ["origin"], timedelta(minutes=15)),
        _lookup(tables.carrier_features, ["carrier"], timedelta(days=1)),
        _lookup(tables.route_features, ["origin", "dest"], timedelta(days=1)),
        _lookup(tables.aircraft_features, ["tailnum"], None),
        _lookup(tables.leg_features, ["tailnum"], timedelta(hours=18)),
    ]


def _lookup(table: str, key: list[str], lookback: timedelta | None) -> FeatureLookup:
    return FeatureLookup(table_name=table, lookup_key=key, timestamp_lookup_key=_MOMENT, lookback_window=lookback)

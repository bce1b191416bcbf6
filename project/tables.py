"""The tables of the stack, by name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tables:
    """Full names (catalog.schema.table) of every table that one deployment reads and writes."""

    catalog: str
    schema: str

    def _full_name(self, table: str) -> str:
        return f"{self.catalog}.{self.schema}.{table}"

    @property
    def flights(self) -> str:
        """Bronze: one row a flight, its schedule and what has happened to it so far."""
        return self._full_name("flights")

    @property
    def weather(self) -> str:
        """Bronze: hourly observations at the airports of departure."""
        return self._full_name("weather")

    @property
    def planes(self) -> str:
        """Bronze: the aircraft register."""
        return self._full_name("planes")

    @property
    def airports(self) -> str:
        """Bronze: airports and their time zones."""
        return self._full_name("airports")

    @property
    def quarantine(self) -> str:
        """Rows that broke the contract, each with the reason."""
        return self._full_name("quarantine")

    @property
    def refreshes(self) -> str:
        """How far the tables below have been brought: one row a completed refresh."""
        return self._full_name("refreshes")

    @property
    def weather_features(self) -> str:
        """Features of the weather at (origin, known_at)."""
        return self._full_name("weather_features")

    @property
    def congestion_features(self) -> str:
        """Features of an airport's traffic at (origin, known_at)."""
        return self._full_name("congestion_features")

    @property
    def carrier_features(self) -> str:
        """Recent lateness at (carrier, known_at)."""
        return self._full_name("carrier_features")

    @property
    def route_features(self) -> str:
        """Recent lateness at (origin, dest, known_at)."""
        return self._full_name("route_features")

    @property
    def aircraft_features(self) -> str:
        """Age and size at (tailnum, known_at)."""
        return self._full_name("aircraft_features")

    @property
    def leg_features(self) -> str:
        """How late an aircraft's last known leg was, at (tailnum, known_at)."""
        return self._full_name("leg_features")

    @property
    def features(self) -> tuple[str, ...]:
        """All feature tables."""
        of_places = (self.weather_features, self.congestion_features, self.route_features)
        return (*of_places, self.carrier_features, self.aircraft_features, self.leg_features)

    @property
    def labels(self) -> str:
        """Was the flight late, and since when is it known."""
        return self._full_name("labels")

    @property
    def validation_verdicts(self) -> str:
        """One row a judged model version: passed or not, and why."""
        return self._full_name("validation_verdicts")

    @property
    def validation_scores(self) -> str:
        """The rows that a model version was judged on: inputs, label, prediction."""
        return self._full_name("validation_scores")

    @property
    def validation_metrics(self) -> str:
        """The figures behind a verdict: one row a model version and slice."""
        return self._full_name("validation_metrics")

    @property
    def promotions(self) -> str:
        """Every promotion, refusal and rollback, with the champion before it."""
        return self._full_name("promotions")

    @property
    def approvals(self) -> str:
        """What a person has said of a version: waiting, approved or rejected, by whom."""
        return self._full_name("approvals")

    @property
    def predictions(self) -> str:
        """Append-only scores by flight, model version and as_of."""
        return self._full_name("predictions")

    @property
    def latest_predictions(self) -> str:
        """What consumers read: the newest prediction of each flight."""
        return self._full_name("latest_predictions")

    @property
    def inference_log(self) -> str:
        """Predictions with the labels that have become known."""
        return self._full_name("inference_log")

    @property
    def inference_baseline(self) -> str:
        """What the inference log is compared with: the rows that each version in use was validated on."""
        return self._full_name("inference_baseline")

    @property
    def profile_metrics(self) -> str:
        """Figures of the inference log by day, model version, slice and column; the monitor writes them."""
        return self._full_name("inference_log_profile_metrics")

    @property
    def drift_metrics(self) -> str:
        """Distance of each day from the baseline, by column; the monitor writes them."""
        return self._full_name("inference_log_drift_metrics")

    @property
    def monitoring_verdicts(self) -> str:
        """What monitoring found as of each moment: a row for all, and a row a check and place."""
        return self._full_name("monitoring_verdicts")

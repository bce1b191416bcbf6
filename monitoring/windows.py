"""The stretches of time that are watched: days, and the window that a verdict is about."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from project.config import Monitoring

DAY = "1 day"


@dataclass(frozen=True)
class Window:
    """The moments of prediction in [start, end), UTC."""

    start: datetime
    end: datetime

    @property
    def granularity(self) -> str:
        """How the metric tables name its length."""
        return f"{(self.end - self.start).days} days"

    def holds(self, moment: Column) -> Column:
        """True where the moment lies in the window."""
        return (moment >= F.lit(self.start)) & (moment < F.lit(self.end))


def judged_window(as_of: datetime, monitoring: Monitoring) -> Window:
    """The last `window_days` whole days (UTC) whose labels are due at `as_of`."""
    due = as_of - timedelta(hours=monitoring.labels_due_hours)
    end = due.replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(end - timedelta(days=monitoring.window_days), end)


def with_windows(log: DataFrame, judged: Window) -> DataFrame:
    """The rows since the judged window began, each once for its day and once more if the judged window holds
    it.

    Args:
        log: rows with `prediction_at`.
        judged: the window that the verdict is about.

    Returns:
        The rows with `window` (struct of `start` and `end`, UTC) and `granularity`.
    """
    day = F.date_trunc("day", "prediction_at")
    a_day = _window(day, day + F.make_dt_interval(days=F.lit(1)), DAY)
    whole = _window(F.lit(judged.start), F.lit(judged.end), judged.granularity)
    windows = F.when(judged.holds(F.col("prediction_at")), F.array(a_day, whole)).otherwise(F.array(a_day))
    recent = log.filter(F.col("prediction_at") >= F.lit(judged.start))
    return recent.withColumn("_w", F.explode(windows)).select("*", "_w.*").drop("_w")


def in_all_windows(rows: DataFrame, judged: Window, until: datetime) -> DataFrame:
    """The rows once for the judged window and once for each day from its start to that of `until`."""
    days = (until - judged.start).days + 1
    starts = [judged.start + timedelta(days=place) for place in range(days)]
    windows = [_window(F.lit(start), F.lit(start + timedelta(days=1)), DAY) for start in starts]
    windows.append(_window(F.lit(judged.start), F.lit(judged.end), judged.granularity))
    return rows.withColumn("_w", F.explode(F.array(*windows))).select("*", "_w.*").drop("_w")


def window_struct(start: Column, end: Column) -> Column:
    """A window as the metric tables hold it."""
    return F.struct(start.alias("start"), end.alias("end"))


def _window(start: Column, end: Column, granularity: str) -> Column:
    return F.struct(window_struct(start, end).alias("window"), F.lit(granularity).alias("granularity"))

"""The days that a report is about."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from project.config import Monitoring

# As the metric tables name a day.
GRANULARITY = "1 day"


@dataclass(frozen=True)
class Window:
    """The moments of prediction in [start, end), UTC."""

    start: datetime
    end: datetime

    def holds(self, moment: Column) -> Column:
        """True where the moment lies in the window."""
        return (moment >= F.lit(self.start)) & (moment < F.lit(self.end))


def judged_window(as_of: datetime, monitoring: Monitoring) -> Window:
    """The last `window_days` whole days (UTC) whose labels are due at `as_of`."""
    due = as_of - timedelta(hours=monitoring.labels_due_hours)
    end = due.replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(end - timedelta(days=monitoring.window_days), end)

"""The report of a replay: one HTML file that needs nothing beside itself."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from monitoring.report import count, figure, percent
from replay import charts
from replay.report_data import ReportData

# How far the loss may be above that of weekly retraining, as a share of it.
_GOAL = 0.006


def write_report(data: ReportData, file: Path) -> Path:
    """Writes the report and gives its file."""
    file.write_text(render_report(data), encoding="utf-8")
    return file


def render_report(data: ReportData) -> str:
    """The report as HTML; every value in it is escaped."""
    environment = Environment(
        loader=PackageLoader("replay", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": figure, "percent": percent, "count": count}
    return environment.get_template("report.html.jinja").render(data=data, charts=draw_charts(data), goal=goal(data))


def draw_charts(data: ReportData) -> dict[str, Markup]:
    """The pictures by name; one that has nothing to show is left out."""
    drawn: dict[str, str] = {}
    if data.ways:
        for measure in data.compared:
            lines = {way.name: way.weeks.set_index("week")[measure.name] for way in data.ways}
            drawn[measure.name] = charts.weeks_chart(measure, lines)
        own = data.ways[0].weeks.set_index("week")
        means: Mapping[str, pd.Series] = {"predicted": own["mean_prediction"], "happened": own["mean_label"]}
        of_label = data.config.label.measure_of("mean_label", data.config.subject.plural)
        drawn["mean_label"] = charts.weeks_chart(of_label, means)
    if not data.drift.empty:
        drawn["drift"] = charts.drift_chart(data.drift)
    if data.happenings:
        drawn["timeline"] = charts.time_line([(one.as_of, one.kind) for one in data.happenings])
    # The drawing library escapes what it writes.
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704


def goal(data: ReportData) -> str:
    """What the replay came to beside the goal, in a sentence; empty where nothing was scored."""
    ways = {way.name: way for way in data.ways}
    if "weekly" not in ways or "never" not in ways:
        return ""
    own, weekly, never = data.ways[0], ways["weekly"], ways["never"]
    loss = data.compared[0]
    behind = own.figures[loss.name] / weekly.figures[loss.name] - 1
    ahead = 1 - own.figures[loss.name] / never.figures[loss.name]
    return (
        f"{own.trainings} trainings where weekly retraining has {weekly.trainings} "
        f"({own.trainings / weekly.trainings:.0%}; the goal is a third at most). "
        f"{loss.title} is {abs(behind):.1%} {'above' if behind > 0 else 'below'} weekly retraining's "
        f"(the goal is {_GOAL:.1%} above at most) and {abs(ahead):.1%} {'below' if ahead > 0 else 'above'} that of "
        "never retraining."
    )

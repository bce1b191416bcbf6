"""The report that a person reads: one HTML file that needs nothing beside itself."""

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pyspark.sql import SparkSession

from monitoring import charts
from monitoring.ground_truth import log_outcomes
from monitoring.report_data import ReportData, read_report_data
from project.config import Config
from project.kinds.label import Measure
from project.tables import Tables

_SHOWN_COLUMNS, _CHART_SLICES = 15, 16
_MISSING = "—"
_LEAST_SLICE_ROWS = 50
_NOTABLE_POINTS = 0.5
_COUNT_FROM = 1000


def write_report(
    spark: SparkSession, tables: Tables, volume: Path, model_name: str, as_of: datetime, config: Config
) -> Path:
    """Writes the report of as_of; a second run writes the same file.

    Returns:
        `<volume>/reports/monitoring-<date of as_of>.html`.

    Raises:
        LookupError: there is no verdict of this as_of.
    """
    html = render_report(read_report_data(spark, tables, model_name, as_of, config), config)
    file = volume / "reports" / f"monitoring-{as_of:%Y-%m-%d}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(html, encoding="utf-8")
    return file


def render_report(data: ReportData, config: Config) -> str:
    """The report as HTML; every value in it is escaped."""
    environment = Environment(
        loader=PackageLoader("monitoring", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "figure": figure,
        "percent": percent,
        "count": count,
        "moment": moment,
        "number": number,
        "shown_as": shown_as,
    }
    template = environment.get_template("report.html.jinja")
    return template.render(
        data=data,
        config=config,
        measures={measure.name: measure for measure in config.label.measures(config.subject.plural)},
        outcomes=log_outcomes(config),
        charts=draw_charts(data, config),
        drift=data.drift[:_SHOWN_COLUMNS],
        nulls=data.nulls,
        notable_points=_NOTABLE_POINTS,
        least_slice_rows=_LEAST_SLICE_ROWS,
    )


def draw_charts(data: ReportData, config: Config) -> dict[str, Markup]:
    """The pictures by name; one that has nothing to show is left out."""
    drawn: dict[str, str] = {}
    label, plural = config.label, config.subject.plural
    predicted, happened, quality = (
        label.measure_of(name, plural) for name in ("mean_prediction", "mean_label", label.quality)
    )
    if data.calibration.get("now"):
        curves = {"this window": data.calibration["now"], "validation": data.calibration.get("before", [])}
        drawn["calibration"] = charts.calibration_chart(curves, label.scale, happened)
    if data.drift:
        bars = [(row["column_name"], row["ratio"]) for row in data.drift[:_SHOWN_COLUMNS]]
        drawn["drift"] = charts.drift_chart(bars)
    for column, found in data.distributions.items():
        numbers = charts.deciles_chart(column, found.now, found.before) if found.now else ""
        drawn[f"distribution-{column}"] = numbers or charts.shares_chart(column, found.shares_now, found.shares_before)
    for key in config.slices:
        if dots := _slice_dots(data, key, quality):
            drawn[f"slices-{key}"] = charts.slices_chart(key, dots, quality, label.no_skill)
    if data.days:
        outcomes = {name: [day[name] for day in data.days] for name in log_outcomes(config)}
        drawn["days"] = charts.days_chart(_names(data.days), outcomes)
    if labelled := [day for day in data.days if day["labelled_rows"]]:
        lines = {measure: [day[measure.name] for day in labelled] for measure in (predicted, happened)}
        drawn["means"] = charts.means_chart(_names(labelled), lines)
    # The drawing library escapes what it writes.
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704


def _names(days: list[dict[str, Any]]) -> list[str]:
    """Two lines a day: the weekday, the date."""
    return [day["day"].replace(" ", "\n", 1) for day in days]


def _slice_dots(data: ReportData, key: str, quality: Measure) -> list[tuple[str, float, float | None]]:
    large = [s for s in data.slices if s["key"] == key and (s["now"]["labelled_rows"] or 0) >= _LEAST_SLICE_ROWS]
    dots = [(s["value"], _known(s["now"][quality.name]), _known(s["before"].get(quality.name))) for s in large]
    return [(value, now, before) for value, now, before in dots[:_CHART_SLICES] if now is not None]


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else value  # noqa: PLR0124 - NaN differs from itself


def figure(value: float | None, digits: int = 3) -> str:
    """A number with this many decimals; a dash where there is none."""
    known = _known(value)
    return _MISSING if known is None else f"{known:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share (0 to 1) in per cent."""
    known = _known(value)
    return _MISSING if known is None else f"{known:.{digits}%}"


def count(value: float | None) -> str:
    """A number of rows."""
    known = _known(value)
    return _MISSING if known is None else f"{known:,.0f}"


def number(value: float | None) -> str:
    """A figure, or a count where it is that large."""
    return count(value) if value is not None and value >= _COUNT_FROM else figure(value)


def moment(value: datetime) -> str:
    """A moment to the minute, UTC."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


_FORMS = {"figure": figure, "percent": percent, "count": count}


def shown_as(value: float | None, measure: Measure) -> str:
    """A figure as its measure is written."""
    return _FORMS[measure.form](value)

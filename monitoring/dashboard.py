"""The dashboard: its file follows from the configuration, and `make dashboard` writes it."""
# ruff: noqa: S608 (queries of the configuration's own names)

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from project.config import Config
from project.tables import quoted

type Json = dict[str, Any]
# Left edge, upper edge, width, height, in cells of a grid that is six wide.
type Place = tuple[int, int, int, int]

_OF_DAYS = "granularity = '1 day' AND log_type = 'INPUT' AND column_name = ':table'"
_VERSION = {"model_version": "Version"}


def dashboard_file(config: Path) -> Path:
    """Where it is: beside the file of the configuration that it follows from."""
    return config.with_name("monitoring.lvdash.json")


def dashboard_text(config: Config) -> str:
    """What the file holds."""
    content = {
        "datasets": [
            {"name": name, "displayName": title, "queryLines": query.splitlines(keepends=True)}
            for name, (title, query) in _queries(config).items()
        ],
        "pages": [
            {
                "name": "monitoring",
                "displayName": "Monitoring",
                "pageType": "PAGE_TYPE_CANVAS",
                "layout": list(_widgets(config)),
            }
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _figures(config: Config) -> tuple[str, ...]:
    """The figures of each day and slice that it shows, each a custom metric of the monitor."""
    return "mean_label", "mean_prediction", config.label.quality, config.label.second


def _queries(config: Config) -> dict[str, tuple[str, str]]:
    """Title and SQL by name; tables alone are named, as the resource says in which schema they are."""
    asked, prediction, figures = quoted(config.subject.prediction_time), config.prediction.column, _figures(config)
    # The mean of the days, each weighed by its labels.
    means = ",\n".join(
        f"  SUM(labelled_rows * {name}) / SUM(CASE WHEN {name} IS NOT NULL THEN labelled_rows END) AS {name}"
        for name in figures
    )
    return {
        "newest_verdict": (
            "Newest verdict",
            """SELECT status, action, sentence, recommendation, model_version, rows, label_share, as_of
FROM monitoring_verdicts
WHERE check_name = ':all'
ORDER BY as_of DESC
LIMIT 1
""",
        ),
        "predictions_by_day": (
            "Predictions by day",
            f"""SELECT date_trunc('DAY', {asked}) AS day, model_version, COUNT(*) AS predictions,
  AVG({prediction}) AS mean_prediction
FROM predictions
WHERE {asked} >= (SELECT MAX({asked}) FROM predictions) - INTERVAL 90 DAYS
GROUP BY date_trunc('DAY', {asked}), model_version
ORDER BY day, model_version
""",
        ),
        "quality_by_day": (
            "Quality by day",
            f"""SELECT window.start AS day, model_version, labelled_rows, {", ".join(figures)}
FROM inference_log_profile_metrics
WHERE {_OF_DAYS} AND slice_key IS NULL
  AND window.start >= (SELECT MAX(window.start) FROM inference_log_profile_metrics) - INTERVAL 90 DAYS
ORDER BY day, model_version
""",
        ),
        "prediction_drift_by_day": (
            "Drift of the predictions by day, in bounds",
            f"""SELECT as_of AS day, model_version, ratio
FROM column_drift
WHERE column_name = '{prediction}' AND as_of >= (SELECT MAX(as_of) FROM monitoring_verdicts) - INTERVAL 90 DAYS
ORDER BY day, model_version
""",
        ),
        "worst_drift": (
            "Columns of the last week, beside their own bounds",
            """SELECT column_name, kind, ratio, sentence, model_version, as_of
FROM column_drift
WHERE as_of = (SELECT MAX(as_of) FROM monitoring_verdicts WHERE check_name = ':all')
ORDER BY ratio DESC
LIMIT 15
""",
        ),
        "slices": (
            "Quality by slice in the newest judged window",
            f"""WITH days AS (
  SELECT * FROM inference_log_profile_metrics
  WHERE {_OF_DAYS} AND slice_key IS NOT NULL
    AND labelled_rows > 0
    AND window.start > (SELECT MAX(window.start) FROM inference_log_profile_metrics) - INTERVAL 7 DAYS
)
SELECT slice_key, slice_value, model_version, SUM(labelled_rows) AS labelled_rows,
{means}
FROM days
GROUP BY slice_key, slice_value, model_version
ORDER BY slice_key, labelled_rows DESC
""",
        ),
        "verdicts": (
            "Verdicts",
            """SELECT as_of, status, action, model_version, rows, label_share, sentence, recommendation
FROM monitoring_verdicts
WHERE check_name = ':all'
ORDER BY as_of DESC
LIMIT 100
""",
        ),
        "findings": (
            "What the newest verdict checked",
            """SELECT check_name, column_name, slice_key, slice_value, status, value, threshold,
  days_broken, days_judged, since, action
FROM monitoring_verdicts
WHERE check_name <> ':all' AND as_of = (SELECT MAX(as_of) FROM monitoring_verdicts)
ORDER BY violated DESC, check_name, column_name, slice_key, slice_value
""",
        ),
    }


def _widgets(config: Config) -> Iterator[Json]:
    plural = config.subject.plural
    measures = {name: config.label.measure_of(name, plural) for name in ("labelled_rows", *_figures(config))}
    titles = {name: measure.title for name, measure in measures.items()}
    share = {"format": {"type": "number-percent", "decimalPlaces": {"type": "max", "places": 1}}}
    yield _counter("status", "Newest verdict", (0, 0, 1, 3))
    yield _counter("rows", "Predictions in its window", (1, 0, 1, 3))
    yield _counter("label_share", "Outcomes known", (2, 0, 1, 3), share)
    says = {"sentence": "What was found", "recommendation": "What to do"}
    as_of = {"as_of": "As of"}
    yield _table("sentence", "newest_verdict", "What it says", as_of | _VERSION | says, (3, 0, 3, 3))
    checked = {
        "check_name": "Check",
        "column_name": "Column",
        "slice_key": "Slice by",
        "slice_value": "Slice",
        "status": "Status",
        "value": "Figure",
        "threshold": "Bound",
        "days_broken": "Days broken",
        "days_judged": "Days judged",
        "since": "Since",
        "action": "What was done",
    }
    yield _table("findings", "findings", "What was checked", checked, (0, 3, 6, 6))
    scored = f"{plural.capitalize()} scored, by the day on which their prediction was asked"
    yield _by_version(
        "volume", "predictions_by_day", "Predictions", {"predictions": "Predictions"}, scored, (0, 9, 3, 6), "bar"
    )
    means = {name: titles[name] for name in ("mean_prediction", "mean_label")}
    apart = f"Of the {plural} whose label is known; far apart means that the model is out of step"
    y = {"scale": {"type": "quantitative"}, "fields": list(_named(means))}
    yield _chart("means", "quality_by_day", "Predicted and actual", [*means], {"y": y}, apart, (3, 9, 3, 6))
    for name, x in ((config.label.quality, 0), (config.label.second, 3)):
        of_figure = {name: titles[name]}
        yield _by_version(name, "quality_by_day", titles[name], of_figure, measures[name].meaning, (x, 15, 3, 6))
    far = "How far the week's predictions are from what is usual, in bounds; above 1 is unusual."
    ratio = {"ratio": "In bounds"}
    yield _by_version(
        "prediction_drift", "prediction_drift_by_day", "Drift of the predictions", ratio, far, (0, 21, 3, 6)
    )
    moved = {
        "column_name": "Column",
        "kind": "What has moved",
        "ratio": "In bounds (above 1: unusual)",
        "sentence": "In words",
    }
    beside = "Columns of the last week, beside their own bounds"
    yield _table("worst_drift", "worst_drift", beside, moved | _VERSION | as_of, (3, 21, 3, 6))
    of_slice = {"slice_key": "Slice", "slice_value": "Value"} | titles | _VERSION
    yield _table("slices", "slices", "Quality by slice", of_slice, (0, 27, 6, 6))
    verdict = {"status": "Status", "action": "What was done"} | _VERSION
    counts = {"rows": "Predictions", "label_share": "Outcomes known"}
    yield _table("verdicts", "verdicts", "Verdicts", as_of | verdict | counts | says, (0, 33, 6, 6))


def _counter(field: str, title: str, place: Place, shown: Mapping[str, Any] | None = None) -> Json:
    value = {"fieldName": field, "displayName": title} | dict(shown or {})
    spec = {"version": 2, "widgetType": "counter", "encodings": {"value": value}}
    return _widget(field, "newest_verdict", [field], spec, title, "", place)


def _table(name: str, dataset: str, title: str, columns: Mapping[str, str], place: Place) -> Json:
    spec = {"version": 1, "widgetType": "table", "encodings": {"columns": list(_named(columns))}}
    return _widget(name, dataset, columns, spec, title, "", place)


def _by_version(
    name: str, dataset: str, title: str, field: Mapping[str, str], about: str, place: Place, kind: str = "line"
) -> Json:
    """A field by day, in a colour a model version."""
    (y,) = _named(field)
    (color,) = _named({"model_version": "Model version"})
    scaled = {
        "y": y | {"scale": {"type": "quantitative"}},
        "color": color | {"scale": {"type": "categorical"}},
    }
    return _chart(name, dataset, title, [*field, "model_version"], scaled, about, place, kind)


def _chart(
    name: str,
    dataset: str,
    title: str,
    fields: Iterable[str],
    scaled: Mapping[str, Json],
    about: str,
    place: Place,
    kind: str = "line",
) -> Json:
    x = {"fieldName": "day", "scale": {"type": "temporal"}, "displayName": "Day (UTC)"}
    spec = {"version": 3, "widgetType": kind, "encodings": {"x": x, **scaled}}
    return _widget(name, dataset, ["day", *fields], spec, title, about, place)


def _named(columns: Mapping[str, str]) -> Iterator[Json]:
    for field, title in columns.items():
        yield {"fieldName": field, "displayName": title}


def _widget(
    name: str, dataset: str, fields: Iterable[str], spec: Mapping[str, Any], title: str, about: str, place: Place
) -> Json:
    described = {"showDescription": True, "description": about[0].upper() + about[1:]} if about else {}
    frame = {"showTitle": True, "title": title, **described}
    shown = [{"name": field, "expression": f"`{field}`"} for field in fields]
    query = {"datasetName": dataset, "fields": shown, "disaggregated": True}
    return {
        "widget": {
            "name": name,
            "queries": [{"name": "main_query", "query": query}],
            "spec": {**spec, "frame": frame},
        },
        "position": dict(zip(("x", "y", "width", "height"), place, strict=True)),
    }

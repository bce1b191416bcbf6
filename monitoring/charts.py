"""Pictures of a report: inline SVG that needs nothing from elsewhere and scales with the page."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from itertools import cycle, islice
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from project.kinds.label import Measure

NOW, BEFORE, BAD = "#2457c5", "#8a94a6", "#c2410c"
# Of what has a label, of what never gets one, of what has not ended.
_LABELLED, _OTHERS, _PENDING = NOW, (BAD, "#e0a526", "#7a5bb5", "#14713d"), "#cbd2dc"
_INK, _GRID = "#475467", "#e4e7ec"
# One inch is 72 units of the picture: as wide as a phone's page, so that its text keeps its size there.
_WIDTH = 4.9
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "text.color": _INK,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "legend.frameon": False,
}


class Picture:
    """A figure with one pair of axes; `svg` holds its markup once it is drawn."""

    def __init__(self, figure: Figure, axes: Axes) -> None:
        """Keeps the figure and its axes."""
        self.figure, self.axes, self.svg = figure, axes, ""


@contextmanager
def picture(name: str, title: str, height: float) -> Iterator[Picture]:
    """A figure to draw on; its markup is there when the block ends.

    Args:
        name: unique in the page.
        title: what the picture shows, for those who do not see it.
        height: in inches of a figure 4.9 inches wide.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        drawn = Picture(figure, figure.subplots())
        yield drawn
        drawn.svg = _markup(figure, name, title)


def calibration_chart(
    curves: Mapping[str, Sequence[tuple[float, float, int]]], scale: str, happened_is: Measure
) -> str:
    """Mean prediction against mean label, a curve a period: the watched one first.

    Args:
        curves: by the period's name: (mean prediction, mean label, rows) of each bin.
        scale: what predictions are.
        happened_is: the mean label.
    """
    ends = [one for bins in curves.values() for b in bins for one in b[:2]]
    with picture("calibration", f"{happened_is.title} by {scale}", 3.3) as drawn:
        axes = drawn.axes
        axes.axline((min(ends), min(ends)), slope=1, color=_GRID, linewidth=1.5, zorder=0)
        for color, (period, bins) in zip((NOW, BEFORE), curves.items(), strict=False):
            predicted, happened = [b[0] for b in bins], [b[1] for b in bins]
            axes.plot(predicted, happened, color=color, marker="o", markersize=4.5, linewidth=1.6, label=period)
        axes.set(xlabel=scale, ylabel=happened_is.title)
        axes.grid()
        axes.legend(loc="upper left")
    return drawn.svg


def drift_chart(bars: Sequence[tuple[str, float]]) -> str:
    """How far columns are from what is usual, as horizontal bars; the line is the bound, each column's own.

    Args:
        bars: (column, distance in bounds), the greatest first.
    """
    with picture("drift", "How far columns are from what is usual, beside their own bounds", _height(bars)) as drawn:
        axes = drawn.axes
        names, values = [name for name, _ in bars], [value for _, value in bars]
        axes.barh(names, values, color=[BAD if value > 1 else NOW for value in values], height=0.62)
        _label_bars(axes, values, [f"{value:.2f}" for value in values])
        axes.axvline(1, color=BAD, linewidth=1.2, linestyle=(0, (4, 3)))
        axes.set_title("bound (dashed)", fontsize=9, loc="right", color=BAD)
        axes.invert_yaxis()
        axes.set_xlim(0, max(1.2, 1.14 * max(values, default=1)))
        axes.set_xlabel("distance from what is usual, in bounds")
    return drawn.svg


def deciles_chart(name: str, now: Sequence[float], before: Sequence[float]) -> str:
    """The deciles of a column in the last week and in the baseline: which share of the rows is below a value."""
    with picture(f"distribution-{name}", f"{name} in the last week and in the baseline", 2.6) as drawn:
        axes = drawn.axes
        for values, color, period in ((before, BEFORE, "baseline"), (now, NOW, "last week")):
            shares = [place / max(len(values) - 1, 1) for place in range(len(values))]
            axes.plot(values, shares, color=color, marker="o", markersize=4, linewidth=1.7, label=period)
        axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axes.set(xlabel=name, ylabel="rows below", ylim=(0, 1))
        axes.grid()
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return drawn.svg


def shares_chart(name: str, now: Mapping[str, float], before: Mapping[str, float]) -> str:
    """The shares of a column's most frequent texts in the last week and in the baseline."""
    items = list(dict.fromkeys([*now, *before]))
    with picture(f"distribution-{name}", f"{name} in the last week and in the baseline", _height(items)) as drawn:
        axes, places = drawn.axes, range(len(items))
        axes.scatter([before.get(item, 0) for item in items], places, color=BEFORE, s=30, label="baseline")
        axes.scatter([now.get(item, 0) for item in items], places, color=NOW, s=38, label="last week")
        axes.set_yticks(list(places), items)
        axes.set_ylim(len(items) - 0.4, -0.6)
        axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axes.set(xlabel="share of the rows", xlim=(0, None))
        axes.grid(axis="x")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return drawn.svg


def slices_chart(
    name: str, slices: Sequence[tuple[str, float, float | None]], figure: Measure, no_skill: float | None
) -> str:
    """A figure of each slice, now and before, as two dots joined by a line.

    Args:
        name: the slices' column.
        slices: (value, figure now, figure before).
        figure: what it is.
        no_skill: its value of a model without any skill; None where there is no such value.
    """
    with picture(f"slices-{name}", f"{figure.title} by {name}", _height(slices)) as drawn:
        axes = drawn.axes
        places = range(len(slices))
        earlier = [(place, before) for place, (_, _, before) in zip(places, slices, strict=True) if before is not None]
        for place, before in earlier:
            axes.plot([before, slices[place][1]], [place, place], color=_GRID, linewidth=2.5, zorder=1)
        axes.scatter([b for _, b in earlier], [p for p, _ in earlier], color=BEFORE, s=30, label="validation", zorder=2)
        axes.scatter([now for _, now, _ in slices], list(places), color=NOW, s=38, label="this window", zorder=3)
        if no_skill is not None:
            axes.axvline(no_skill, color=_GRID)
        axes.set_yticks(list(places), [value for value, _, _ in slices])
        axes.set_ylim(len(slices) - 0.4, -0.6)
        axes.set_xlabel(figure.title if no_skill is None else f"{figure.title} ({no_skill:g} is no skill)")
        axes.grid(axis="x")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return drawn.svg


def days_chart(days: Sequence[str], counts: Mapping[str, Sequence[int]]) -> str:
    """Predictions a day, stacked by outcome.

    Args:
        days: their names.
        counts: by outcome, one count a day; what has a label first, what has not ended last.
    """
    colors = (_LABELLED, *islice(cycle(_OTHERS), len(counts) - 2), _PENDING)
    with picture("days", "Predictions a day by outcome", 2.9) as drawn:
        floor = [0] * len(days)
        for color, (outcome, of_days) in zip(colors, counts.items(), strict=True):
            drawn.axes.bar(days, of_days, bottom=floor, color=color, label=outcome.replace("_", " "), width=0.68)
            floor = [below + count for below, count in zip(floor, of_days, strict=True)]
        drawn.axes.grid(axis="y")
        drawn.axes.set_ylabel("predictions")
        drawn.axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, handlelength=1, columnspacing=1)
    return drawn.svg


def means_chart(days: Sequence[str], lines: Mapping[Measure, Sequence[float]]) -> str:
    """What was predicted on average and what happened, by day.

    Args:
        days: their names.
        lines: the mean prediction and the mean label, one a day.
    """
    titles = [measure.title for measure in lines]
    with picture("means", f"{' and '.join(titles)} by day", 2.9) as drawn:
        axes = drawn.axes
        for color, (measure, values) in zip((NOW, BEFORE), lines.items(), strict=True):
            axes.plot(days, values, color=color, marker="o", markersize=5, linewidth=1.8, label=measure.title)
        if all(measure.form == "percent" for measure in lines):
            axes.set_ylim(bottom=0)
            axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axes.grid(axis="y")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return drawn.svg


def _height(bars: Sequence[object]) -> float:
    return 0.9 + 0.235 * max(len(bars), 2)


def _label_bars(axes: Axes, values: Sequence[float], texts: Sequence[str]) -> None:
    for place, (value, text) in enumerate(zip(values, texts, strict=True)):
        axes.annotate(text, (value, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5)


def _markup(figure: Figure, name: str, title: str) -> str:
    """The figure as an element for a page: its own ids, no size of its own, a title."""
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    label = escape(title)
    opening = re.compile(r"<svg[^>]*?(viewBox=\"[^\"]*\")[^>]*>")
    return opening.sub(
        rf'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        rf'role="img" aria-label="{label}" \g<1>><title>{label}</title>',
        svg,
        count=1,
    )

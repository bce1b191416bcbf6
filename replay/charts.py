"""The pictures of the replay's report: inline SVG, as in the monitoring report."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd
from matplotlib import dates as moments
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm

from monitoring.charts import BAD, BEFORE, NOW, picture
from project.kinds.label import Measure

# The replay first, then the alternatives; colours that differ in brightness too, for print.
COLOURS = (NOW, "#b9c0cc", "#e0a526", "#14713d", "#7fc29b")
# From the first row of the time line down.
KINDS = ("violation", "retraining", "promotion", "refusal", "fault", "failure", "repair")
_KIND_COLOURS = (BAD, NOW, "#14713d", "#e0a526", BEFORE, BAD, "#14713d")
_SHOWN_COLUMNS = 20
_DAY_SECONDS = 24 * 3600  # matplotlib counts days since 1970


def weeks_chart(measure: Measure, lines: Mapping[str, pd.Series]) -> str:
    """A figure by week, one line a way to retrain.

    Args:
        measure: which figure; it has one picture in a page.
        lines: by the way's name: the figure by the week's first moment; the replay first.
    """
    with picture(measure.name, measure.title, 2.7) as drawn:
        axes = drawn.axes
        for place, (label, line) in reversed(list(enumerate(lines.items()))):
            width = 2.2 if place == 0 else 1.3
            axes.plot(line.index, line, color=COLOURS[place], linewidth=width, label=label, zorder=9 - place)
        _on_months(axes)
        axes.set_ylabel(measure.title)
        axes.grid(axis="y")
        if measure.form == "percent":
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        if len(lines) > 1:
            handles, labels = axes.get_legend_handles_labels()
            axes.legend(handles[::-1], labels[::-1], loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return drawn.svg


def drift_chart(drift: pd.DataFrame) -> str:
    """Population stability index, column by week, the darker the greater.

    Args:
        drift: columns of the model (rows, the greatest first) by week (columns, the week's first moment).
    """
    shown = drift.head(_SHOWN_COLUMNS)
    with picture("drift", "Population stability index by column and week", 0.9 + 0.2 * len(shown)) as drawn:
        axes = drawn.axes
        weeks = [week.timestamp() / _DAY_SECONDS for week in pd.DatetimeIndex(shown.columns)]
        image = axes.imshow(
            shown.to_numpy(dtype=float),
            aspect="auto",
            cmap="Blues",
            norm=PowerNorm(0.5, vmin=0),
            extent=(weeks[0], weeks[-1] + 7, len(shown) - 0.5, -0.5),
            interpolation="none",
        )
        axes.set_yticks(range(len(shown)), list(shown.index), fontsize=7.5)
        _on_months(axes)
        drawn.figure.colorbar(image, ax=axes, orientation="horizontal", pad=0.02, aspect=40)
    return drawn.svg


def time_line(happenings: Sequence[tuple[datetime, str]]) -> str:
    """When what happened, one row a kind.

    Args:
        happenings: (moment, kind of `KINDS`).
    """
    kinds = [kind for kind in KINDS if any(kind == found for _, found in happenings)]
    with picture("timeline", "What happened when, by kind", 0.8 + 0.28 * len(kinds)) as drawn:
        axes = drawn.axes
        for place, kind in enumerate(kinds):
            days = pd.DatetimeIndex([moment for moment, found in happenings if found == kind])
            colour = _KIND_COLOURS[KINDS.index(kind)]
            axes.plot(days, [place] * len(days), "o", color=colour, markersize=4.5, alpha=0.8)
        axes.set_yticks(range(len(kinds)), [f"{kind}s" if kind[-1] != "y" else f"{kind[:-1]}ies" for kind in kinds])
        axes.set_ylim(len(kinds) - 0.5, -0.5)
        _on_months(axes)
        axes.grid(axis="x")
    return drawn.svg


def _on_months(axes: Axes) -> None:
    locator = moments.AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(moments.ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]

"""What a picture of the report shows."""

import re

import pytest

from monitoring.charts import means_chart
from project.kinds.label import Measure

DAYS = ("Mon\n1", "Tue\n2", "Wed\n3")


@pytest.mark.parametrize("form", ["percent", "figure"])
@pytest.mark.parametrize("lines", [((0.1, 0.2, 0.1), (0.1, 0.9, 0.2)), ((0.9, 0.2, 0.1), (0.1, 0.1, 0.2))])
def test_no_day_is_outside_the_picture(lines, form):
    names = ("mean_prediction", "mean_label")
    measures = [Measure(name, name, "", form=form) for name in names]
    svg = means_chart(DAYS, dict(zip(measures, lines, strict=True)))
    axes = re.search(r'id="means-patch_2">\s*<path d="(.*?)"', svg, re.DOTALL)[1]
    borders = [float(y) for y in re.findall(r"[ML] [\d.-]+ ([\d.-]+)", axes)]
    # The lines themselves: as many points as days.
    paths = [
        re.findall(r"[ML] [\d.-]+ ([\d.-]+)", path) for path in re.findall(r'<path d="(.*?)" clip', svg, re.DOTALL)
    ]
    drawn = [[float(y) for y in path] for path in paths if len(path) == len(DAYS)]
    assert len(drawn) == len(names)
    assert all(min(borders) <= y <= max(borders) for line in drawn for y in line)

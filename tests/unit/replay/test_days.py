"""Which days a replay runs: all hours once, at any step."""

from itertools import pairwise

import pytest

from replay.days import Plan, days
from tests.unit.tables import moment


@pytest.mark.parametrize("step", [1, 2, 7, 40])
def test_the_steps_cover_every_hour_once_and_end_at_the_end(step):
    start, end = moment("2024-03-01 00:00"), moment("2024-03-29 00:00")
    played = days(start, end, step)
    assert played[-1].as_of == end
    assert sum(day.hours for day in played) == 28 * 24
    assert all(later.as_of > earlier.as_of for earlier, later in pairwise(played))


def test_the_last_step_is_shorter_where_the_days_do_not_divide():
    played = days(moment("2024-02-01 00:00"), moment("2024-02-11 00:00"), 7)
    assert [(f"{day.as_of:%d}", day.hours) for day in played] == [("08", 168), ("11", 72)]


def test_a_step_of_no_days_is_refused():
    with pytest.raises(ValueError, match="one day at least"):
        days(moment("2024-02-01 00:00"), moment("2024-02-02 00:00"), 0)


def test_plans_that_differ_have_folders_that_differ():
    start, end = moment("2024-02-01 00:00"), moment("2024-03-01 00:00")
    plans = [Plan(start, end, step, with_faults) for step in (1, 7) for with_faults in (False, True)]
    assert len({plan.name for plan in plans}) == 4

"""k of the last n days: what violates, since when, and what is not judged."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.checks import Place, find
from project.config import MonitoringCheck, load_config

LAST = datetime(2024, 8, 7, tzinfo=UTC)
HERE = Place()
LABEL = load_config().label
GOOD, BAD, NOT_JUDGED = 0.7, 0.5, None


def check(days_broken=3, of_days=7, **more):
    facts = {"name": "ranking", "kind": "model_quality", "metric": "roc_auc", "answer": "retrain"}
    bound = {"greater_is_better": True, "threshold": 0.6}
    return MonitoringCheck(**{**facts, **bound, **more}, days_broken=days_broken, of_days=of_days)


def days(*values, last=LAST):
    """The last days; the last value is the newest day's. 'absent' is a day without a row."""
    ages = reversed(range(len(values)))
    return {last - timedelta(days=age): v for age, v in zip(ages, values, strict=True) if v != "absent"}


def found(*values, **more):
    (finding,) = find(check(**more), {HERE: days(*values)}, LAST, LABEL)
    return finding


@pytest.mark.parametrize("broken", range(8))
def test_k_of_n_days_violate_and_fewer_do_not(broken):
    finding = found(*[GOOD] * (7 - broken), *[BAD] * broken)
    assert finding.violated is (broken >= 3)
    assert (finding.days_broken, finding.days_judged) == (broken, 7)


def test_one_bad_day_among_good_ones_does_not_violate():
    finding = found(GOOD, GOOD, GOOD, 0.01, GOOD, GOOD, GOOD)
    assert (finding.status, finding.value) == ("passed", 0.01)


def test_broken_days_need_not_follow_each_other():
    assert found(BAD, GOOD, BAD, GOOD, GOOD, GOOD, BAD).violated


def test_days_before_the_last_n_are_forgotten():
    assert not found(BAD, BAD, BAD, GOOD, GOOD, GOOD, GOOD, GOOD, GOOD, GOOD).violated


@pytest.mark.parametrize(
    ("values", "status"), [((BAD,), "passed"), ((BAD, BAD), "passed"), ((BAD, BAD, BAD), "violated")]
)
def test_in_the_first_days_what_is_there_counts(values, status):
    finding = found(*values)
    assert (finding.status, finding.days_judged) == (status, len(values))


def test_a_day_that_is_not_judged_neither_breaks_nor_mends_and_is_named():
    finding = found(GOOD, GOOD, BAD, NOT_JUDGED, BAD, "absent", BAD)
    assert finding.violated
    assert finding.days_judged == 5
    assert finding.not_judged == (LAST - timedelta(days=3),)
    assert finding.since == LAST - timedelta(days=4)


def test_where_no_day_can_be_judged_there_is_no_verdict():
    for values in ((NOT_JUDGED,) * 7, ("absent",) * 7, (float("nan"),) * 7):
        finding = found(*values)
        assert (finding.status, finding.violated, finding.since) == ("not judged", False, None)
        assert "could not be judged" in finding.sentence
    (nowhere,) = find(check(), {}, LAST, LABEL)
    assert nowhere.status == "not judged"


@pytest.mark.parametrize(
    ("values", "ago"),
    [
        ((GOOD, GOOD, GOOD, GOOD, BAD, BAD, BAD), 2),
        ((BAD, BAD, GOOD, GOOD, GOOD, GOOD, BAD), 0),
        ((GOOD, BAD, BAD, BAD, GOOD, GOOD, GOOD), 5),
        ((BAD,) * 7, 6),
    ],
)
def test_since_is_the_first_day_of_the_newest_row_of_broken_days(values, ago):
    assert found(*values).since == LAST - timedelta(days=ago)


def test_the_bound_itself_is_good_and_either_side_can_be():
    assert found(*[0.6] * 7).days_broken == 0
    assert found(*[0.61] * 7, greater_is_better=False).violated


def test_every_place_that_is_violated_is_found_and_of_others_the_worst():
    places = {
        Place("temp"): days(*[GOOD] * 7),
        Place("wind"): days(*[GOOD] * 6, BAD),
        Place("", "region", "north"): days(*[BAD] * 7),
        Place("", "region", "south"): days(*[GOOD] * 3, *[BAD] * 4),
    }
    assert [finding.place.slice_value for finding in find(check(), places, LAST, LABEL)] == ["north", "south"]
    (worst,) = find(check(), {place: places[place] for place in list(places)[:2]}, LAST, LABEL)
    assert (worst.place.column, worst.status) == ("wind", "passed")


def test_what_counts_bounds_is_told_in_its_own_words_and_since_when():
    counted = check(metric="drift", greater_is_better=False, threshold=1, days_broken=1, of_days=1)
    places = {Place("temp"): days(2.0, *[0.4] * 3, 1.2, 1.5, 1.7), Place("wind"): days(*[0.9] * 7)}
    words = {Place("temp"): ("the mean of temp is 9 where 2 was expected", "Look."), Place("wind"): ("", "")}
    (finding,) = find(counted, places, LAST, LABEL, words)
    assert (finding.value, finding.since, finding.advice) == (1.7, LAST - timedelta(days=2), "Look.")
    assert finding.sentence == "the mean of temp is 9 where 2 was expected since 5 August 2024"


def test_what_can_not_be_judged_says_why():
    (finding,) = find(check(), {}, LAST, LABEL, note="the baseline has 2 weeks")
    assert finding.status == "not judged"
    assert finding.sentence.endswith("could not be judged: the baseline has 2 weeks")


def test_the_sentence_says_what_how_much_where_and_since_when():
    (finding,) = find(check(), {Place("", "region", "north"): days(*[GOOD] * 4, BAD, BAD, 0.512)}, LAST, LABEL)
    expected = "ROC AUC (region north) is 0.512, at least 0.6 is needed: 3 of 7 days broke it since 5 August 2024"
    assert finding.sentence == expected

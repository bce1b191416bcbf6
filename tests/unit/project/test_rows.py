"""The rows that a model is asked about: which ones, and what is known of them."""

from datetime import timedelta

import pytest

from project.config import load_config
from project.rows import filed, labelled_rows, request_rows
from tests.unit.tables import collected, moment

CONFIG = load_config()
START, END, KNOWN_BY = moment("2024-07-01"), moment("2024-08-01"), moment("2024-08-02")
SECOND, PERIOD = timedelta(seconds=1), timedelta(days=1)
ORDER = (
    "order_id string, closes_at timestamp, ordered_at timestamp, customer_id string, shop string, product string, "
    "weekday int, price double, items bigint, status string, refund double, ended_at timestamp"
)


def order(name, closes):
    known = ("Alder", "books", 7, 18.5, 2)
    return (name, closes, closes - PERIOD, None, *known, "closed", 18.5, closes)


@pytest.fixture(scope="module")
def orders(spark):
    closing = {"first": START, "last": END - SECOND, "before": START - SECOND, "after": END, "no label": START}
    return spark.createDataFrame([order(*item) for item in (closing | {"late news": START}).items()], ORDER)


def test_the_request_says_what_is_known_when_it_is_asked_and_nothing_else(orders):
    rows = collected(request_rows(orders, CONFIG))
    assert len(rows) == 6
    first = next(row for row in rows if row["order_id"] == "first")
    assert first == {
        "order_id": "first",
        "closes_at": START,
        "customer_id": None,
        "ordered_at": START - PERIOD,
        "price": 18.5,
        "items": 2.0,
        "shop": "Alder",
        "product": "books",
        "weekday": "7",
    }
    assert isinstance(first["items"], float), "numbers are doubles"


def test_labels_count_by_event_and_by_when_they_were_known(spark, orders):
    known = {"first": KNOWN_BY, "last": START, "before": START, "after": START, "late news": KNOWN_BY + SECOND}
    labels = [(name, at, 0.0) for name, at in known.items()]
    labels = spark.createDataFrame(
        [*labels, ("of no order", START, 1.0)], "order_id string, known_at timestamp, returned double"
    )
    rows = labelled_rows(orders, labels, START, END, KNOWN_BY, CONFIG)
    assert rows.columns == [*request_rows(orders, CONFIG).columns, "returned"]
    assert sorted(row["order_id"] for row in collected(rows)) == ["first", "last"]


def test_a_column_or_label_that_is_not_there_is_refused_with_the_known_ones(spark, orders):
    labels = spark.createDataFrame([], "order_id string, known_at timestamp, sent_back double")
    with pytest.raises(
        ValueError, match=r"label\.column: there is no column 'returned'; there are order_id, known_at, sent_back"
    ):
        labelled_rows(orders, labels, START, END, KNOWN_BY, CONFIG)
    for key, name in (
        ("request_features", "product"),
        ("subject.key", "order_id"),
        ("subject.event_time", "closes_at"),
        ("subject.prediction_time", "ordered_at"),
        ("subject.lookup_keys", "customer_id"),
    ):
        with pytest.raises(ValueError, match=rf"{key}: there is no column '{name}'; there are .*shop"):
            request_rows(orders.drop(name), CONFIG)


def test_scores_are_filed_under_model_version_and_moment(spark):
    rows = filed(spark.createDataFrame([(0.5,)], "prediction double"), "m", "7", KNOWN_BY)
    assert collected(rows) == [{"prediction": 0.5, "model_name": "m", "model_version": "7", "as_of": KNOWN_BY}]
    assert rows.columns[:-1] == ["model_name", "model_version", "as_of"], "first, where Delta keeps statistics"

"""The feature tables, a row each: to add one is a row here and its function."""

from datetime import timedelta
from functools import partial

from feature_engineering.definitions import Definition, FeatureTable, Input
from project.config import Config
from use_case.features import LONG_DAYS, customer_features
from use_case.labels import labels
from use_case.settings import RETURN_PERIOD, settings_of

ORDERS = Input("orders", moment="closes_at")
LABELS = Input("labels", moment="closes_at")

FEATURE_TABLES = (
    FeatureTable(
        "customer_features",
        keys=("customer_id",),
        of=LABELS,
        compute=customer_features,
        reach=timedelta(days=LONG_DAYS),
        ahead=RETURN_PERIOD,  # a label may be known before the return period ends
        lookback=timedelta(days=1),  # there is a row each midnight
    ),
)


def label_table(config: Config) -> Definition:
    """The table of labels, by the configuration's word on what is returned."""
    return Definition(
        LABELS.table,
        keys=("order_id",),
        of=ORDERS,
        compute=partial(labels, returned_from=settings_of(config).returned_from),
        reach=timedelta(0),
        ahead=RETURN_PERIOD,
    )

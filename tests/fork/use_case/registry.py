"""The feature tables, a row each: to add one is a row here and its function."""

from feature_engineering.definitions import Definition, FeatureTable, Input
from project.config import Config
from use_case.features import LONGEST, pair_features, product_features
from use_case.labels import labels
from use_case.settings import DAY

SALES = Input("sales", moment="day")
LABELS = Input("labels", moment="day")

# The shop is closed for twelve days around New Year: what it sold before counts until it opens again.
_LOOKBACK = 14 * DAY

FEATURE_TABLES = (
    FeatureTable(
        "pair_features",
        keys=("channel", "product"),
        of=LABELS,
        compute=pair_features,
        reach=LONGEST,
        lookback=_LOOKBACK,
    ),
    FeatureTable(
        "product_features",
        keys=("product",),
        of=LABELS,
        compute=product_features,
        reach=LONGEST,
        lookback=_LOOKBACK,
    ),
)


def label_table(_: Config) -> Definition:
    """The table of labels."""
    return Definition(LABELS.table, keys=("channel", "product", "day"), of=SALES, compute=labels, reach=DAY)

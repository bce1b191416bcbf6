"""Brings all tables of this stage to `as_of`: what has landed, bronze, labels and features."""

from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from feature_engineering.contract_check import QUARANTINE
from feature_engineering.definitions import Reading
from feature_engineering.fill import Orders, bring, bring_source, check_types, made_by
from feature_engineering.landing import landing_folder
from feature_engineering.progress import Progress
from project.config import Config
from project.delta import ensure_table
from project.steps import Step, run_steps
from project.tables import Tables
from use_case.feed import land_news
from use_case.registry import FEATURE_TABLES, label_table
from use_case.sources import SOURCES

_LAND = "land"


def refresh(spark: SparkSession, tables: Tables, volume: Path, as_of: datetime, orders: Orders, config: Config) -> None:
    """Brings every source, the labels and every feature table to as_of, each from where it is.

    What is done stays done: a run that failed goes on where it failed. Tables that don't wait for each other are
    brought side by side, and each says what was done.

    Args:
        spark: the session.
        tables: the deployment's tables.
        volume: the folder that sources land in.
        as_of: nothing that became known later is read.
        orders: what may be made anew.
        config: the configuration.

    Raises:
        StepError: it names the tables that could not be brought, and why.
        ChangedTypeError: a column would change its type; nothing is written.
        ValueError: the orders name a table that is not there.
    """
    computed = (label_table(config), *FEATURE_TABLES)
    orders.check([one.name for one in (*SOURCES, *computed)])
    orders = orders.spread(computed)
    progress = Progress(spark, tables)
    for definition in computed:
        found = progress.of(definition.name)
        if found is not None and found.definition != made_by(definition, progress):
            # A column that its input doesn't have yet comes with the input: the type is then checked at its turn.
            with suppress(AnalysisException):
                check_types(spark, tables, definition)
    # Before the sources, which all write to it side by side.
    ensure_table(spark, tables.quarantine, QUARANTINE)
    reading = Reading(spark, tables, config)
    steps = [
        Step(_LAND, partial(_land, spark, volume, as_of, progress, config)),
        *(
            Step(one.name, partial(bring_source, one, volume, as_of, orders, progress, reading), (_LAND, *one.after))
            for one in SOURCES
        ),
        *(
            Step(one.name, partial(bring, spark, tables, one, as_of, orders, progress), (one.of.table,))
            for one in computed
        ),
    ]
    try:
        run_steps(steps)
    finally:
        progress.save()


def _land(spark: SparkSession, volume: Path, as_of: datetime, progress: Progress, config: Config) -> str:
    """The use case's feed, where it has one in the place of a world that sends files."""
    brought = [progress.of(source.name) for source in SOURCES]
    since = min(one.as_of for one in brought if one) if all(brought) else None
    if since is not None and since >= as_of:
        return "nothing is due"
    land_news(spark, landing_folder(volume), since, as_of, config)
    return "the feed's files" if since is None else f"the feed's news since {since:%Y-%m-%d %H:%M}"

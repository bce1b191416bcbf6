"""A definition's digest tells whether its rows are made otherwise; what a new version learns from is the rest."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from types import ModuleType

import pytest
from pyspark.sql import functions as F

from feature_engineering.definitions import digest_of
from local_workspace.workspace import REPOSITORY
from project.config import load_config
from tests.unit.tables import moment
from use_case.registry import FEATURE_TABLES, label_table
from use_case.sources import SOURCES

# A package as a team's: the features import the grid, which imports the calendar; nothing imports the rest.
MODULES = {
    "features": '''
"""Features."""

import math

from made_up.grid import step

LIMIT = 3


class Counter:
    """Counts."""

    start = 0


def features(rows, as_of, keys=()):
    """What a row says."""
    return [math.floor(step(row)) + LIMIT for row in rows if row <= as_of]  # no later one


def others(rows, as_of):
    return rows
''',
    "grid": '''
"""Steps."""

import made_up.calendar as days


def step(moment):
    """The next step."""
    return moment + days.LENGTH
''',
    "calendar": "LENGTH = 24\n",
    "rest": "REST = 1\n",
}


@pytest.fixture
def load(tmp_path, monkeypatch) -> Iterator[Callable[..., ModuleType]]:
    """The module `made_up.features` after a text of the package has been replaced: a release of its own."""
    releases = count()

    def release(module: str = "features", old: str = "", new: str = "") -> ModuleType:
        assert old in MODULES[module]
        forget()
        folder = tmp_path / f"release {next(releases)}"
        (folder / "made_up").mkdir(parents=True)
        for name, text in MODULES.items():
            changed = text.replace(old, new, 1) if name == module else text
            (folder / "made_up" / f"{name}.py").write_text(changed)
        monkeypatch.syspath_prepend(folder)
        for name in MODULES:
            importlib.import_module(f"made_up.{name}")
        return sys.modules["made_up.features"]

    yield release
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "made_up"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("features", "row <= as_of", "row < as_of"),
        ("features", "LIMIT = 3", "LIMIT = 4"),
        ("features", "start = 0", "start = 1"),
        ("features", "keys=()", "keys=None"),
        ("grid", "+ days", "- days"),
        ("calendar", "24", "23"),
    ],
)
def test_other_code_is_another_digest(load, module, old, new):
    before = digest_of(load().features)
    assert digest_of(load(module, old, new).features) != before


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("features", "", ""),
        ("features", "# no later one", "# none that is later"),
        ("features", "  # no later one", ""),
        ("features", '"""What a row says."""', '"""What a row\n    says."""'),
        ("features", '    """What a row says."""\n', ""),
        ("features", '"""Features."""', '"""The features."""'),
        ("features", '"""Counts."""', '"""Counts from 0 on."""'),
        ("features", "[math.floor(step(row)) + LIMIT for", "[\n        (math.floor(step(row)) + LIMIT)\n        for"),
        ("grid", '    """The next step."""\n', "\n    # The next step.\n\n"),
        ("rest", "1", "2"),
    ],
)
def test_the_same_code_is_the_same_digest(load, module, old, new):
    before = digest_of(load().features)
    assert digest_of(load(module, old, new).features) == before


@pytest.mark.parametrize("imported", ["from made_up import grid as steps\nstep = steps.step", "import made_up.grid"])
def test_an_import_is_followed_however_it_is_written(load, monkeypatch, imported):
    monkeypatch.setitem(MODULES, "features", MODULES["features"].replace("from made_up.grid import step", imported))
    before = digest_of(load().features)
    assert digest_of(load("calendar", "24", "23").features) != before


def test_functions_of_one_module_have_digests_of_their_own(load):
    module = load()
    assert digest_of(module.features) != digest_of(module.others)


def test_what_is_bound_and_settings_count(load):
    function = load().features
    variants = [
        digest_of(function),
        digest_of(function, "shop"),
        digest_of(function, "city"),
        digest_of(partial(function, keys=("shop",))),
        digest_of(partial(function, keys=("city",))),
        digest_of(partial(function, 5)),
        digest_of(partial(function, 5, as_of=1)),
        digest_of(partial(partial(function, 5), as_of=2)),
    ]
    assert len(set(variants)) == len(variants)
    assert digest_of(partial(function, keys=(), as_of=1)) == digest_of(partial(function, as_of=1, keys=()))
    assert digest_of(partial(function, keys=("shop",))) == variants[3]


def test_what_a_table_is_looked_up_by_is_no_part_of_how_its_rows_are_made():
    table = FEATURE_TABLES[0]
    longer = {"reach": timedelta(days=9), "ahead": timedelta(days=9), "lookback": None, "retired": ("a feature",)}
    assert replace(table, **longer).digest == table.digest
    assert replace(table, keys=("another",)).digest != table.digest


def test_a_label_by_another_setting_is_another_one():
    config = load_config()
    stricter = config.model_copy(update={"settings": config.settings | {"returned_from": 0.9}})
    assert label_table(stricter).digest != label_table(config).digest


def digests() -> list[str]:
    return [one.digest for one in (label_table(load_config()), *FEATURE_TABLES, *SOURCES)]


def test_the_next_process_has_the_same_digests():
    """Or each run would make all tables anew."""
    own = "from local_workspace.environment import use_other_use_case; use_other_use_case()"
    code = f"{own}; from {__name__} import digests; print(*digests())"
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    asked = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", code], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    )
    assert asked.stdout.split() == digests()
    assert len(set(digests())) == len(FEATURE_TABLES) + len(SOURCES) + 1


def test_a_new_version_learns_from_what_is_neither_key_nor_retired(spark):
    def compute(rows, as_of):
        return rows.select("customer_id", F.lit(as_of).alias("known_at"), "price", "items", "refund")

    rows = spark.createDataFrame(
        [("C1", 1.0, 2.0, 3.0)], "customer_id string, price double, items double, refund double"
    )
    table = replace(FEATURE_TABLES[0], compute=compute, retired=("items", "long gone"))
    assert table.features(rows, moment("2024-01-01")) == ["price", "refund"]
    assert table.primary_key == ("customer_id", "known_at")


def test_each_table_is_computed_from_one_that_is_there():
    made = {source.name for source in SOURCES} | {label_table(load_config()).name}
    assert {one.of.table for one in FEATURE_TABLES} <= made

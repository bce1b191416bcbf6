"""The training frame: rows with labels and features in memory, in an order and with a digest of their own."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class TrainingFrame:
    """What a model is fitted on.

    Attributes:
        rows: the inputs: numbers (NaN where unknown) and strings.
        label: what happened, row by row.
        weeks: a number a week, for folds that keep a week together.
        digest: of all of it, the same for the same rows in any order.
    """

    rows: pd.DataFrame
    label: pd.Series
    weeks: pd.Series
    digest: str


def make_frame(loaded: pd.DataFrame, label: str, week: str) -> TrainingFrame:
    """Sorts what a training set loaded, and parts the inputs from label and week.

    Raises:
        ValueError: there are no rows.
    """
    if loaded.empty:
        raise ValueError("no labelled rows are known in the training window")
    hashes = pd.util.hash_pandas_object(loaded, index=False).to_numpy()
    order = np.argsort(hashes, kind="stable")
    ordered = loaded.iloc[order].reset_index(drop=True)
    digest = hashlib.sha256(hashes[order].tobytes()).hexdigest()
    return TrainingFrame(ordered.drop(columns=[label, week]), ordered[label], ordered[week], digest)

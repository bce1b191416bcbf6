"""Can the version be served: in a fresh process, from its files in the registry, with its own requirements alone?"""

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from project.config import Servable
from validation import fresh_process
from validation.gates import SERVABLE, Gate, at_least, at_most, failed
from validation.requirements import modules_of

_REASON_LENGTH = 500


@dataclass(frozen=True)
class Served:
    """What the fresh process answered.

    Attributes:
        example_rows: rows of the model's input example; none where it has no example or no signature.
        answered_rows: how many of them got a finite number.
        keeps_signature: the answer's type is the signature's.
        seconds: that scoring the rows took.
        predictions: of the rows, in their order.
    """

    example_rows: int
    answered_rows: int
    keeps_signature: bool
    seconds: float
    predictions: np.ndarray


class NotServableError(Exception):
    """The model did not load or did not answer; it says why."""


def serve(model: Path, rows: pd.DataFrame, timeout_seconds: float) -> Served:
    """Loads the model in a fresh process that can import its requirements alone, and has it score rows.

    Args:
        model: the folder of an MLflow model.
        rows: with the model's inputs, one at least.
        timeout_seconds: for all of it.

    Raises:
        NotServableError: a requirement is not installed, the process fails, or it takes too long.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            modules = modules_of((model / "requirements.txt").read_text(encoding="utf-8").splitlines())
            request = {"model": str(model.resolve()), "modules": sorted(modules)}
            (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
            rows.to_parquet(folder / "rows.parquet")
            # Isolated: without this process's folder, paths and user packages.
            command = [sys.executable, "-I", fresh_process.__file__, made]
            subprocess.run(command, capture_output=True, text=True, check=True, timeout=timeout_seconds)  # noqa: S603
        except subprocess.CalledProcessError as error:
            raise NotServableError(error.stderr.strip().splitlines()[-1][:_REASON_LENGTH]) from error
        except subprocess.TimeoutExpired as error:
            raise NotServableError(f"no answer within {timeout_seconds:,.0f} s") from error
        except (LookupError, OSError) as error:
            raise NotServableError(str(error)[:_REASON_LENGTH]) from error
        said = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        return Served(**said, predictions=np.load(folder / "predictions.npy"))


def tiled(rows: pd.DataFrame, number: int) -> pd.DataFrame:
    """So many rows: the first ones, over and over where there are fewer."""
    return rows.iloc[np.arange(number) % len(rows)].reset_index(drop=True)


def judge_served(served: Served, by_batch: pd.Series, config: Servable) -> Iterator[Gate]:
    """Answers its example, keeps its signature, is fast enough, and gives what batch scoring gave.

    Args:
        served: the fresh process's answer.
        by_batch: predictions of batch scoring for the same rows.
        config: the bounds.
    """
    share = served.answered_rows / served.example_rows if served.example_rows else 0.0
    yield at_least(SERVABLE, "input example", share, 1.0, "the share of the input example's rows that is answered")
    kept = float(served.keeps_signature)
    yield at_least(SERVABLE, "signature", kept, 1.0, "1 where the answer is of the signature's type: it")
    # To the half second above: a second verdict on the same version should be the same.
    seconds = math.ceil(served.seconds * 2) / 2
    about = f"the time to score {len(served.predictions):,} rows, in seconds,"
    yield at_most(SERVABLE, "latency", seconds, config.max_seconds, about)
    skew = float(np.max(np.abs(served.predictions - by_batch.to_numpy(float))))
    yield at_most(SERVABLE, "skew", skew, config.max_skew, "the greatest difference from batch scoring")


def judge_servable(model: Path, rows: pd.DataFrame, by_batch: str, config: Servable) -> Iterator[Gate]:
    """All gates of serving.

    Args:
        model: the folder of the MLflow model.
        rows: validation rows with the model's inputs, one at least.
        by_batch: the column with the predictions of batch scoring.
        config: how many rows, and the bounds.
    """
    chosen = tiled(rows, config.rows)
    try:
        served = serve(model, chosen, config.timeout_seconds)
    except NotServableError as error:
        yield failed(SERVABLE, "fresh process", 1.0, f"it does not load and answer in a fresh process: {error}")
        return
    yield Gate(SERVABLE, "fresh process", True, 1.0, 1.0, "it loads in a fresh process, with its requirements alone")
    yield from judge_served(served, chosen[by_batch], config)

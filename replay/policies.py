"""What other ways to retrain would have come to: never, monthly, weekly; the same recipe on the same features."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from itertools import pairwise
from pathlib import Path

import pandas as pd

from project.config import Config
from replay.frame import KNOWN, WEEK, inputs
from training.frame import make_frame
from training.train import fit, learned_until


@dataclass(frozen=True)
class Policy:
    """When a model is trained anew; each new one is used from that moment on.

    Attributes:
        name: what the report calls it.
        moments: when it trains (UTC), the first champion's first.
        on_all_labels: it learns from the days too that the training job leaves out to judge a version on.
    """

    name: str
    moments: tuple[datetime, ...]
    on_all_labels: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a policy came to.

    Attributes:
        name: the policy's.
        trainings: how many models it fitted.
        fit_seconds: what they took, in all.
        scores: key, moment of the prediction, label and prediction: a row each that has a label.
    """

    name: str
    trainings: int
    fit_seconds: float
    scores: pd.DataFrame


def policies(start: datetime, end: datetime) -> tuple[Policy, ...]:
    """The alternatives: all begin with a model of `start`, and train before `end`.

    Never, monthly and weekly are the training job on another schedule. The last is what monthly could come to if no
    version had to be judged before it is used.
    """
    weeks = (start + timedelta(weeks=week) for week in range((end - start).days // 7 + 1))
    on_firsts = monthly(start, end)
    return (
        Policy("never", (start,)),
        on_firsts,
        Policy("weekly", tuple(moment for moment in weeks if moment < end)),
        Policy("monthly, unjudged", on_firsts.moments, on_all_labels=True),
    )


def monthly(start: datetime, end: datetime) -> Policy:
    """A training at the start, and one on each first of a month before the end."""
    return Policy("monthly", (start, *_firsts_of_months(start, end)))


def _firsts_of_months(start: datetime, end: datetime) -> Iterator[datetime]:
    moment = start.replace(day=1)
    while True:
        moment = (moment + timedelta(days=32)).replace(day=1)
        if moment >= end:
            return
        yield moment


def play(
    policy: Policy,
    frame: pd.DataFrame,
    end: datetime,
    config: Config,
    cache: Path,
    told: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Trains at each of a policy's moments as the training job does, and scores what is asked up to the next.

    What is fitted is kept in `cache`, so a second call, also after a kill, goes on where the first was.

    Args:
        policy: when to train.
        frame: as `read_year` gives it.
        end: the last prediction (UTC).
        config: the training recipe, and the days that a version is judged on.
        cache: the folder; frames and recipes do not meet in it.
        told: is told of each training.
    """
    folder = cache / _fingerprint(frame, config)
    folder.mkdir(parents=True, exist_ok=True)
    played = []
    for place, (moment, until) in enumerate(pairwise((*policy.moments, end)), start=1):
        told(f"{policy.name}: training {place} of {len(policy.moments)}")
        played.append(_play_one(frame, policy, moment, until, config, folder))
    return Outcome(
        policy.name,
        len(policy.moments),
        sum(seconds for _, seconds in played),
        pd.concat([scores for scores, _ in played], ignore_index=True),
    )


def _fingerprint(frame: pd.DataFrame, config: Config) -> str:
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()
    return hashlib.sha256(rows + config.training.model_dump_json().encode()).hexdigest()[:16]


def _play_one(
    frame: pd.DataFrame, policy: Policy, moment: datetime, until: datetime, config: Config, cache: Path
) -> tuple[pd.DataFrame, float]:
    """The scores of what is asked in (moment, until], and the seconds that the fit took."""
    rows = "all" if policy.on_all_labels else "judged"
    kept = cache / f"{moment:%Y%m%dT%H%M}-{until:%Y%m%dT%H%M}-{rows}.parquet"
    if kept.exists():
        scores = pd.read_parquet(kept)
        return scores, float(scores.attrs["fit_seconds"])
    subject, label, columns = config.subject, config.label.column, inputs(frame, config)
    learned = frame.loc[learned_by(frame, policy, moment, config), [*columns, label, WEEK]]
    began = time.monotonic()
    model = fit(make_frame(learned, label, WEEK), config)
    seconds = time.monotonic() - began
    asked = frame[(frame[subject.prediction_time] > moment) & (frame[subject.prediction_time] <= until)]
    names = list(dict.fromkeys((*subject.key, subject.prediction_time, label)))
    scores = asked[names].assign(**{config.prediction.column: model.predict(asked[columns])}).reset_index(drop=True)
    scores.attrs["fit_seconds"] = seconds
    partial = kept.with_suffix(".partial")
    scores.to_parquet(partial)
    partial.replace(kept)
    return scores, seconds


def learned_by(frame: pd.DataFrame, policy: Policy, moment: datetime, config: Config) -> pd.Series:
    """The rows that a training as of a moment learns from."""
    if policy.on_all_labels:
        return frame[KNOWN] <= moment
    end, known_by = learned_until(moment, config)
    return (frame[config.subject.event_time] < end) & (frame[KNOWN] <= known_by)


def on_the_same_rows(scores: Sequence[pd.DataFrame], config: Config) -> list[pd.DataFrame]:
    """The rows of each whose subject all of them have scored: what they are compared on."""
    keys = [one.set_index(list(config.subject.key)).index for one in scores]
    common = reduce(pd.Index.intersection, keys)
    return [one[key.isin(common)] for one, key in zip(scores, keys, strict=True)]

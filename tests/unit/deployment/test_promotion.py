"""Only a passed verdict of this version, window and commit promotes; else champion stays, and the record says why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from deployment.model_deployment.approval import Approval, State
from deployment.model_deployment.decision import decide
from deployment.model_deployment.promotion import propose
from project.registry import CHALLENGER, CHAMPION
from project.verdicts import FiledVerdict, Verdict
from tests.unit.deployment.conftest import AUGUST, COMMIT, CONFIG, JULY, SEPTEMBER, Scene

PASSED = Verdict("m", "5", "4", True, "[]", COMMIT, AUGUST, JULY, AUGUST)
CANDIDATE = propose("m", "5", AUGUST, COMMIT, CONFIG)
NOT_ASKED = Approval(State.NOT_ASKED)


def filed(tags=(), **fields) -> FiledVerdict:
    verdict = Verdict(**{**PASSED.__dict__, **fields})
    return FiledVerdict(verdict, verdict.digest, verdict.tags | dict(tags))


def test_a_passed_verdict_of_this_run_promotes() -> None:
    assert decide(CANDIDATE, filed(), "4", NOT_ASKED).promote
    assert decide(CANDIDATE, filed(champion_version=None), None, NOT_ASKED).promote
    approved = decide(CANDIDATE, filed(), "4", Approval(State.APPROVED, "jane@example.com"))
    assert approved.promote
    assert approved.reason == "its verdict is: passed; it was approved by jane@example.com"


def test_a_promotion_without_a_commit_says_that_it_was_not_checked() -> None:
    decision = decide(replace(CANDIDATE, git_commit=""), filed(git_commit=""), "4", NOT_ASKED)
    assert decision.promote
    assert decision.reason.endswith("; that its commit judged was not checked, as none is known")
    assert "commit" not in decide(CANDIDATE, filed(), "4", NOT_ASKED).reason


@pytest.mark.parametrize(
    ("found", "champion", "approval", "words"),
    [
        (None, "4", NOT_ASKED, "no verdict"),
        (filed(passed=False), "4", NOT_ASKED, "failed"),
        (filed(as_of=JULY), "4", NOT_ASKED, "as of 2024-07-01"),
        (filed(as_of=AUGUST + timedelta(seconds=1)), "4", NOT_ASKED, "as of 2024-08-01T00:00:01"),
        (filed(window_start=JULY - timedelta(days=30)), "4", NOT_ASKED, "another window: 2024-06-01 to 2024-08-01"),
        (filed(window_end=AUGUST - timedelta(days=1)), "4", NOT_ASKED, "another window: 2024-07-01 to 2024-07-31"),
        (filed(git_commit="def456"), "4", NOT_ASKED, "by the commit 'def456', and this run is 'abc123'"),
        (filed(git_commit=""), "4", NOT_ASKED, "by the commit ''"),
        (filed(model_version="6"), "4", NOT_ASKED, "another version's: m version 6"),
        (filed(model_name="n"), "4", NOT_ASKED, "another version's: n version 5"),
        (filed(), "3", NOT_ASKED, "compared with version 4, and now version 3"),
        (filed(), None, NOT_ASKED, "compared with version 4, and now no champion"),
        (filed(champion_version=None), "4", NOT_ASKED, "compared with no champion, and now version 4"),
        (filed(tags={"validation": "failed"}), "4", NOT_ASKED, "tags do not match its verdict: validation"),
        (FiledVerdict(PASSED, "0" * 64, PASSED.tags), "4", NOT_ASKED, "row of its verdict was edited"),
        (filed(tags={"rolled_back": "2024-08-05: too high"}), "4", NOT_ASKED, "rolled back (2024-08-05: too high)"),
        (filed(), "4", Approval(State.WAITING), "waits for approval"),
        (filed(), "4", Approval(State.REJECTED, "joe@example.com"), "rejected by joe@example.com"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_anything_else_does_not(found, champion, approval, words) -> None:
    decision = decide(CANDIDATE, found, champion, approval)
    assert not decision.promote
    assert words in decision.reason


def test_the_first_model_ever_becomes_champion_and_the_record_says_why(scene) -> None:
    first = scene.register()
    scene.file(scene.verdict(first, None))
    assert scene.promote(first) == first
    assert (scene.champion, scene.challenger) == (first, None)
    (row,) = scene.rows()
    assert scene.moves() == [("promotion", "done", None, first)]
    assert row["reason"] == "its verdict is: passed; no approval is asked for"
    assert (row["as_of"], row["git_commit"], row["job_id"]) == (AUGUST, COMMIT, "11")
    assert row["verdict_digest"] == scene.verdict(first, None).digest
    assert row["by"]
    assert row["run_id"]
    assert row["at"] is not None


def test_a_second_run_of_a_champion_changes_nothing(scene) -> None:
    first = scene.register()
    scene.champions(first)
    before = scene.rows()
    scene.client.set_registered_model_alias(scene.model, CHALLENGER, first)
    assert scene.promote(first, SEPTEMBER, "another commit") == first
    assert scene.rows() == before
    assert (scene.champion, scene.challenger) == (first, None)


def test_of_two_challengers_the_second_must_be_judged_against_the_first(scene) -> None:
    champion, one, two = (scene.register() for _ in range(3))
    scene.champions(champion)
    scene.file(scene.verdict(one, champion), scene.verdict(two, champion))
    assert scene.promote(one) == one
    assert scene.challenger == two, "the other's challenge goes on"
    assert scene.promote(two) == one
    assert scene.champion == one
    assert scene.moves()[1:] == [("promotion", "done", champion, one), ("promotion", "refused", one, two)]
    scene.file(scene.verdict(two, one))
    assert scene.promote(two) == two
    assert scene.moves()[-1] == ("promotion", "done", one, two)


REFUSED = {
    "missing": lambda scene, new, old: scene.file(),
    "stale": lambda scene, new, old: scene.file(scene.verdict(new, old, as_of=JULY)),
    "another version's": lambda scene, new, old: scene.file(scene.verdict(old, None)),
    "edited row": lambda scene, new, old: scene.file(scene.verdict(new, old, passed=False), passed=True),
    "row without tags": lambda scene, new, old: (
        scene.file(scene.verdict(new, old)),
        scene.client.delete_model_version_tag(scene.model, new, "validation_digest"),
    ),
    "rejected": lambda scene, new, old: (
        scene.file(scene.verdict(new, old)),
        scene.client.set_model_version_tag(scene.model, new, "approval", "Rejected"),
    ),
}


@pytest.fixture(scope="module")
def reigned(make_scene) -> tuple[Scene, str]:
    """A model with a champion that stays."""
    scene = make_scene()
    old = scene.register()
    scene.champions(old)
    return scene, old


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_version_leaves_the_champion_and_one_row_that_says_why(reigned, case) -> None:
    scene, old = reigned
    new = scene.register()
    REFUSED[case](scene, new, old)
    assert scene.promote(new) == old
    assert (scene.champion, scene.challenger) == (old, new)
    (row,) = (row for row in scene.rows() if row["model_version"] == new)
    assert (row["action"], row["status"], row["former_champion"]) == ("promotion", "refused", old)
    assert row["reason"]


def test_a_refusal_is_recorded_once_for_each_reason(scene) -> None:
    new = scene.register()
    scene.file()
    assert scene.promote(new) == ""
    scene.file(scene.verdict(new, None, passed=False))
    assert [scene.promote(new), scene.promote(new)] == ["", ""]
    assert scene.champion is None
    assert scene.moves() == [("promotion", "refused", None, new)] * 2
    assert [row["reason"] for row in scene.rows()] == ["it has no verdict", "its verdict is: failed"]


def test_a_deleted_champion_takes_its_verdicts_along(scene) -> None:
    champion, new = scene.register(), scene.register()
    scene.champions(champion)
    scene.file(scene.verdict(new, champion))
    scene.client.delete_model_version(scene.model, champion)
    assert scene.promote(new) == ""
    scene.file(scene.verdict(new, None))
    assert scene.promote(new) == new
    assert scene.champion == new
    assert scene.moves()[1:] == [
        ("found", "done", champion, None),
        ("promotion", "refused", None, new),
        ("promotion", "done", None, new),
    ]


def test_a_champion_that_was_set_by_hand_is_found_and_followed(scene) -> None:
    by_hand, new = scene.register(), scene.register()
    scene.client.set_registered_model_alias(scene.model, CHAMPION, by_hand)
    scene.file(scene.verdict(new, by_hand))
    assert scene.promote(new) == new
    assert scene.moves() == [("found", "done", None, by_hand), ("promotion", "done", by_hand, new)]
    assert scene.rows()[0]["reason"] == "champion was moved without these jobs"


def test_with_manual_approval_only_an_approved_version_is_promoted(scene) -> None:
    new = scene.register()
    scene.file(scene.verdict(new, None))
    assert scene.promote(new, approval="manual") == ""
    scene.client.set_model_version_tag(scene.model, new, "approval", "Rejected")
    assert scene.promote(new, approval="manual") == ""
    scene.client.set_model_version_tag(scene.model, new, "approval", "Approved")
    scene.client.set_model_version_tag(scene.model, new, "approved_by", "jane@example.com")
    assert scene.promote(new, approval="manual") == new
    assert [row["reason"] for row in scene.rows()] == [
        "it waits for approval",
        "it was rejected",
        "its verdict is: passed; it was approved by jane@example.com",
    ]


def test_a_mistyped_mode_promotes_nothing(scene) -> None:
    new = scene.register()
    scene.file(scene.verdict(new, None))
    with pytest.raises(ValueError, match="approval is 'manuel', and must be 'auto' or 'manual'"):
        scene.promote(new, approval="manuel")
    assert scene.champion is None

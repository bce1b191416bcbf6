"""A person's word: which tags count, what is recorded, and that the task fails until it is said."""

import pytest

from deployment.model_deployment.approval import Approval, NotApprovedError, State, read_approval, require_approval
from tests.unit.deployment.conftest import AUGUST, Scene
from tests.unit.tables import collected


@pytest.mark.parametrize(
    ("tags", "mode", "expected"),
    [
        ({}, "auto", Approval(State.NOT_ASKED)),
        ({}, "manual", Approval(State.WAITING)),
        ({"approval": "Approved"}, "manual", Approval(State.APPROVED)),
        ({"approval": " approved ", "approved_by": "jane"}, "manual", Approval(State.APPROVED, "jane")),
        ({"approval": "Rejected", "rejected_by": "joe"}, "manual", Approval(State.REJECTED, "joe")),
        ({"approval": "rejected"}, "auto", Approval(State.REJECTED)),
        ({"approval": "Approved", "rejected_by": "joe"}, "manual", Approval(State.APPROVED)),
        ({"approval": "yes", "approved_by": "jane"}, "manual", Approval(State.WAITING)),
        ({"approval": "waiting"}, "auto", Approval(State.NOT_ASKED)),
        ({"approval_legal": "Approved"}, "manual", Approval(State.WAITING)),
    ],
)
def test_only_the_own_tag_counts_and_a_rejection_always_does(tags, mode, expected) -> None:
    assert read_approval(tags, mode, "approval") == expected


def test_another_mode_is_an_error() -> None:
    with pytest.raises(ValueError, match="'Manual', and must be 'auto' or 'manual'"):
        read_approval({"approval": "Approved"}, "Manual", "approval")


def ask(scene: Scene, version: str, run_id: str, mode: str = "manual") -> None:
    require_approval(scene.spark, scene.tables, scene.model, version, AUGUST, mode, "approval", run_id)


def recorded(scene: Scene) -> list[tuple[str, str | None, str]]:
    rows = collected(scene.spark.table(scene.tables.approvals))
    return [(row["state"], row["answered_by"], row["run_id"]) for row in rows]


def test_a_version_waits_until_it_is_approved_and_who_and_when_is_recorded(scene) -> None:
    version = scene.register()
    for run_id in ("1", "2"):
        with pytest.raises(
            NotApprovedError, match=f"version {version} of .* waits for approval: set its tag 'approval'"
        ):
            ask(scene, version, run_id)
        assert recorded(scene) == [("waiting", None, "1")], "since when it waits"
    scene.client.set_model_version_tag(scene.model, version, "approved_by", "jane@example.com")
    scene.client.set_model_version_tag(scene.model, version, "approval", "Approved")
    for run_id in ("3", "4"):
        ask(scene, version, run_id)
        assert recorded(scene) == [("approved", "jane@example.com", "3")]
    (row,) = collected(scene.spark.table(scene.tables.approvals))
    assert (row["as_of"], row["tag"], row["seen_at"] is not None) == (AUGUST, "approval", True)


def test_a_rejected_version_never_passes(scene) -> None:
    version = scene.register()
    scene.client.set_model_version_tag(scene.model, version, "rejected_by", "joe@example.com")
    scene.client.set_model_version_tag(scene.model, version, "approval", "Rejected")
    for mode in ("manual", "auto"):
        with pytest.raises(NotApprovedError, match=f"version {version} of .*: it was rejected by joe@example.com"):
            ask(scene, version, "1", mode)
    assert recorded(scene) == [("rejected", "joe@example.com", "1")]


def test_a_champion_is_not_asked_about(scene) -> None:
    version = scene.register()
    scene.client.set_registered_model_alias(scene.model, "champion", version)
    ask(scene, version, "1")


def test_without_manual_approval_nobody_is_asked(scene) -> None:
    ask(scene, scene.register(), "1", "auto")

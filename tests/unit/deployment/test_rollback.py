"""Champion goes back to exactly the version before, however often; without one there is a clear error."""

from dataclasses import replace

import numpy as np
import pytest

from deployment.model_deployment.record import Action, Entry, Status
from deployment.model_deployment.rollback import former_champions, rolled_back_by
from project.registry import CHAMPION


def entry(action: Action, version: str | None, former: str | None = None, status: Status = Status.DONE) -> Entry:
    return Entry("m", action, version, former, status, "")


def promoted(*versions: str) -> list[Entry]:
    return [entry(Action.PROMOTION, version) for version in versions]


def test_what_was_rolled_back_is_no_former_champion() -> None:
    record = promoted("1", "2", "3")
    assert former_champions(record, "3") == ["2", "1"]
    record.append(entry(Action.ROLLBACK, "2"))
    assert former_champions(record, "2") == ["1"]
    record += promoted("4")
    assert former_champions(record, "4") == ["2", "1"]
    assert former_champions([], None) == []


def test_what_was_not_done_counts_for_nothing() -> None:
    record = promoted("1", "2")
    for status in (Status.STARTED, Status.REFUSED, Status.INTERRUPTED):
        record += [entry(Action.PROMOTION, "3", status=status), entry(Action.ROLLBACK, "1", status=status)]
    assert former_champions(record, "2") == ["1"]


def test_after_a_champion_was_deleted_the_one_before_it_comes_next() -> None:
    record = [*promoted("1", "2"), entry(Action.FOUND, None)]
    assert former_champions(record, None) == ["2", "1"]


def test_rollbacks_undo_promotions_in_turn_whatever_the_order() -> None:
    """Against pairs of brackets: each rollback closes the last promotion that is open."""
    choose = np.random.default_rng(1)
    for _ in range(200):
        open_ones: list[str] = ["1"]
        record = promoted("1")
        for version in range(2, 20):
            if len(open_ones) > 1 and choose.random() < 0.5:
                open_ones = open_ones[:-1]
                assert former_champions(record, record[-1].model_version)[0] == open_ones[-1]
                record.append(entry(Action.ROLLBACK, open_ones[-1]))
            else:
                open_ones = [*open_ones, str(version)]
                record += promoted(str(version))
            assert former_champions(record, open_ones[-1]) == open_ones[-2::-1]


def test_champion_goes_back_twice_in_a_row_and_the_record_keeps_all(scene) -> None:
    one, two, three = (scene.register() for _ in range(3))
    scene.champions(one, two, three)
    assert scene.roll_back("too many false alarms") == two
    assert scene.champion == two
    assert scene.roll_back() == one
    assert scene.champion == one
    assert scene.moves() == [
        ("promotion", "done", None, one),
        ("promotion", "done", one, two),
        ("promotion", "done", two, three),
        ("rollback", "done", three, two),
        ("rollback", "done", two, one),
    ]
    row = scene.rows()[3]
    assert (row["reason"], row["job_id"]) == ("too many false alarms", "12")
    assert row["by"]
    with pytest.raises(LookupError, match=f"no former champion to go back to: champion is version {one}"):
        scene.roll_back()
    assert scene.champion == one
    assert len(scene.rows()) == 5


def test_what_was_rolled_back_is_not_promoted_again_by_the_next_training(scene) -> None:
    one, two = scene.register(), scene.register()
    scene.champions(one, two)
    scene.roll_back("too many false alarms")
    scene.file(scene.verdict(two, one))
    assert scene.promote(two) == one
    assert "too many false alarms" in scene.rows()[-1]["reason"]
    scene.client.delete_model_version_tag(scene.model, two, "rolled_back")
    assert scene.promote(two) == two
    assert scene.roll_back() == one


def test_a_second_attempt_of_one_run_goes_back_once(scene) -> None:
    one, two, three = (scene.register() for _ in range(3))
    scene.champions(one, two, three)
    assert [scene.roll_back(run_id="77"), scene.roll_back(run_id="77")] == [two, two]
    assert scene.champion == two


def test_a_run_knows_its_own_rollback_alone() -> None:
    record = [*promoted("1", "2", "3"), replace(entry(Action.ROLLBACK, "2"), run_id="77")]
    assert rolled_back_by(record, "77")
    assert not rolled_back_by(record, "78")
    record.append(replace(entry(Action.ROLLBACK, "1", status=Status.INTERRUPTED), run_id="78"))
    assert not rolled_back_by(record, "78")
    record.append(entry(Action.ROLLBACK, "1"))
    assert not rolled_back_by(record, ""), "outside of a job each call is a run of its own"


def test_versions_that_were_deleted_are_passed_over(scene) -> None:
    one, two, three = (scene.register() for _ in range(3))
    scene.champions(one, two, three)
    scene.client.delete_model_version(scene.model, two)
    scene.client.delete_model_version(scene.model, three)
    assert scene.roll_back() == one
    assert scene.champion == one
    assert scene.moves()[3:] == [("found", "done", three, None), ("rollback", "done", None, one)]


def test_a_move_by_hand_can_be_rolled_back(scene) -> None:
    one, two = scene.register(), scene.register()
    scene.champions(one)
    scene.client.set_registered_model_alias(scene.model, CHAMPION, two)
    assert scene.roll_back() == one
    assert scene.moves()[1:] == [("found", "done", one, two), ("rollback", "done", two, one)]


def test_a_first_model_has_nothing_to_go_back_to(scene) -> None:
    with pytest.raises(LookupError, match="no former champion to go back to: it has no champion"):
        scene.roll_back()


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_reason_must_be_given(scene, reason) -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        scene.roll_back(reason)

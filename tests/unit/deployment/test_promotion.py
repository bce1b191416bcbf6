from deployment.model_deployment.promotion import decide


def test_a_passed_verdict_promotes_the_first_model() -> None:
    assert decide({"passed": True, "champion_version": None}, None).promote


def test_a_passed_verdict_against_todays_champion_promotes() -> None:
    assert decide({"passed": True, "champion_version": "3"}, "3").promote


def test_a_failed_or_missing_verdict_never_promotes() -> None:
    assert not decide({"passed": False, "champion_version": None}, None).promote
    assert not decide(None, None).promote


def test_a_verdict_against_another_champion_never_promotes() -> None:
    assert not decide({"passed": True, "champion_version": "2"}, "3").promote
    assert not decide({"passed": True, "champion_version": "2"}, None).promote
    assert not decide({"passed": True, "champion_version": None}, "3").promote

"""What every kind of label is checked for."""

import pytest
from pydantic import ValidationError

from project.kinds.binary import Binary
from project.kinds.regression import Regression


@pytest.mark.parametrize("other", ["still open", "1st", "a-b", "", "pending", "closed"])
@pytest.mark.parametrize(
    "kind",
    [(Binary, {"kind": "binary", "positives": "returns"}), (Regression, {"kind": "regression", "quantity": "y"})],
)
def test_an_outcome_that_is_no_name_of_a_figure_is_refused_by_name(kind, other):
    make, facts = kind
    assert make(column="y", outcome="closed", other_outcomes=("lost", "_2"), **facts).outcomes == (
        "closed",
        "lost",
        "_2",
    )
    with pytest.raises(ValidationError, match=f"outcome '{other}': it names a figure"):
        make(column="y", outcome="closed", other_outcomes=("lost", other), **facts)

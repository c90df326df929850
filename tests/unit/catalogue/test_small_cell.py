"""Small counts are hidden, and so is what would give them away: checked by a reader who adds up and takes apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.catalogue import compile_measures
from ioc.catalogue.small_cell import CountSum, SmallCellPlan, hidden_figures, plan_small_cells

BELOW = 5
# A province, three districts, and three communes in each.
ABOVE = (-1, 0, 0, 0, *(1, 1, 1), *(2, 2, 2), *(3, 3, 3))
ALL = ("total", "male", "female")
SUMS = SmallCellPlan(BELOW, ALL, ALL, (CountSum("total", ("male", "female")),), {}, {})


def province(leaves: list[tuple[int, int]]) -> np.ndarray:
    """Figures by area and (total, male, female), from those of the nine communes."""
    communes = np.array([(male + female, male, female) for male, female in leaves], dtype=float)
    districts = communes.reshape(3, 3, 3).sum(axis=1)
    return np.vstack([districts.sum(axis=0, keepdims=True), districts, communes])


def known(figures: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest that a reader can tell of each figure, who knows every sum and all that is shown.

    Bounds of whole numbers from 0 on are drawn closer along every sum until nothing moves.
    """
    low = np.where(hidden, 0.0, figures)
    high = np.where(hidden, figures.sum() + 1, figures)
    sums = [((row, 0), [(row, 1), (row, 2)]) for row in range(len(ABOVE))]
    for parent in range(4):
        below = [row for row, above in enumerate(ABOVE) if above == parent]
        sums += [((parent, column), [(row, column) for row in below]) for column in range(3)]
    for _ in range(200):
        before = (low.copy(), high.copy())
        for whole, parts in sums:
            low[whole] = max(low[whole], sum(low[part] for part in parts))
            high[whole] = min(high[whole], sum(high[part] for part in parts))
            for part in parts:
                others = [one for one in parts if one != part]
                low[part] = max(low[part], low[whole] - sum(high[one] for one in others))
                high[part] = min(high[part], high[whole] - sum(low[one] for one in others))
        if (before[0] == low).all() and (before[1] == high).all():
            break
    return low, high


PAIRS = st.tuples(st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 9, 40]), st.sampled_from([0, 1, 2, 4, 5, 7, 30]))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(PAIRS, min_size=9, max_size=9))
def test_no_small_count_is_shown_or_can_be_computed(leaves: list[tuple[int, int]]) -> None:
    figures = province(leaves)
    hidden = hidden_figures(figures, ABOVE, SUMS)
    small = (figures > 0) & (figures < BELOW)
    assert (small <= hidden).all()
    assert not (hidden & ~small).any() or small.any(), "nothing is hidden without need"
    low, high = known(figures, hidden)
    assert (low[small] < high[small]).all(), "each small count could be another one"


def test_a_sibling_is_hidden_beside_the_only_small_one() -> None:
    figures = province([(2, 0), (20, 0), (9, 0), *[(10, 0)] * 6])
    hidden = hidden_figures(figures, ABOVE, SUMS)
    assert [*np.flatnonzero(hidden[:, 1])] == [4, 6], "commune 1, and the next smallest beside it: 31 - 20 - 9 is 2"
    assert not hidden[:4].any(), "the district's figure stays"


def test_where_nothing_else_is_there_the_whole_is_hidden() -> None:
    figures = np.array([[7.0], [3.0], [4.0], [50.0]])
    plan = SmallCellPlan(BELOW, ("a",), ("a",), (), {}, {})
    assert hidden_figures(figures, (3, 0, 0, -1), plan)[:, 0].tolist() == [False, True, True, False]
    figures = np.array([[5.0], *[[1.0]] * 5])
    assert hidden_figures(figures, (-1, *[0] * 5), plan)[:, 0].all(), "five parts that make five are one each"


def test_shares_and_sums_of_money_go_with_their_counts() -> None:
    plan = SmallCellPlan(
        BELOW,
        ("visits", "cost", "share", "beds"),
        ("visits",),
        (),
        {"cost": ("visits",)},
        {"share": "visits"},
    )
    figures = np.array([[40.0, 9e6, 50.0, 3.0], [40.0, 9e6, 7.5, 3.0], [3.0, 1e6, 100.0, 3.0], [0.0, 0.0, np.nan, 3.0]])
    assert hidden_figures(figures, (-1,) * 4, plan).tolist() == [
        [False, False, False, False],
        [False, False, True, False],  # 7.5 % of 40 are 3
        [True, True, True, False],
        [False, False, False, False],  # zero tells of nobody; beds are no persons
    ]


@pytest.mark.parametrize("sector", ["health_visit", "health_record", "vaccination"])
def test_every_health_sector_of_the_catalogue_is_guarded(sector: str, catalogue) -> None:  # type: ignore[no-untyped-def]
    assert sector in catalogue.guarded_sectors
    plan = plan_small_cells(
        catalogue.of_sector(sector), compile_measures(catalogue), below=BELOW, units=catalogue.guarded_units
    )
    assert len(plan.counts) > 20
    assert any(one.whole for one in plan.sums) or sector == "health_record"
    for code, sources in plan.made_of.items():
        assert {*sources} <= {*plan.counts}, code
    for code in plan.codes:
        assert code in plan.related(code)

"""Each feed's records, made at random: the parts of a breakdown are its whole record by record; kinds share no key."""

from __future__ import annotations

from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from testbed import health, public_service
from testbed.breakdown import HEALTH, SERVICES, Breakdown
from testbed.contribution import CATALOGUE, COMPILED, FEEDS, added, frame_of

MAKERS = {**health.MAKERS, **public_service.MAKERS}
MODELS = {**health.MODELS, **public_service.MODELS}


@pytest.mark.parametrize("breakdown", [*HEALTH, *SERVICES], ids=str)
def test_the_parts_of_each_record_are_its_whole(breakdown: Breakdown) -> None:
    codes, whole = breakdown.codes(CATALOGUE), breakdown.whole
    assert len(codes) == breakdown.parts
    key = COMPILED.plans[whole].measures[0].feed
    assert {COMPILED.plans[code].measures[0].at for code in codes} == {COMPILED.plans[whole].measures[0].at}
    stored = (health if key in health.MAKERS else public_service).stored

    @settings(max_examples=25, deadline=None)
    @given(st.randoms(use_true_random=False), st.integers(1, 12))
    def check(rng: Random, size: int) -> None:
        frame = frame_of(FEEDS[key], [stored(key, rng) for _ in range(size)]).filter(pl.sql_expr(breakdown.among))
        sums = frame.select(parts=pl.sum_horizontal(map(added, codes)), whole=added(whole))
        assert sums["parts"].to_list() == sums["whole"].to_list()

    check()


@pytest.mark.parametrize("key", [key for key, model in MODELS.items() if "kind" in model.model_fields])
def test_the_kinds_of_a_feed_do_not_share_keys(key: str) -> None:
    rng = Random(3)
    records = [MODELS[key].model_validate(MAKERS[key](rng)) for _ in range(300)]
    assert all(record.record_key().startswith(f"{record.kind}/") for record in records)  # type: ignore[attr-defined]

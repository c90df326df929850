"""A sum holds a year of every area's reports, though each had the largest value that its field may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import sqlglot

from ioc.catalogue import Compiled
from ioc.catalogue.domain import LARGEST, check_range, domains_of
from ioc.catalogue.indicator import REPORT_FEED
from ioc.catalogue.loading import load_catalogue
from ioc.errors import ConfigError
from ioc.feeds.bounds import SUMMED
from ioc.feeds.feed import Feed
from ioc.province.profile import load_profile
from ioc.settings import Settings


def test_so_many_are_more_than_a_year_of_daily_reports_of_every_area() -> None:
    areas = load_profile(Settings(_env_file=None).profile).areas.areas
    assert 366 * len(areas) < SUMMED


def test_no_measure_of_the_catalogue_can_run_over(compiled: Compiled, feeds: Mapping[str, Feed]) -> None:
    domains = {key: domains_of(feed) for key, feed in feeds.items()}
    known = 0
    for measure in compiled.measures:
        if measure.kind != "sum":
            continue
        ends = check_range(sqlglot.parse_one(measure.value, read="postgres"), domains[measure.feed])
        if ends is not None:
            known += 1
            assert max(map(abs, ends)) * 10**measure.decimals * SUMMED <= LARGEST, measure
    assert known > 500


@pytest.mark.parametrize("key", [REPORT_FEED, "tax.einvoice", "tourism.daily_report", "health.checkout"])
def test_every_number_of_a_feed_can_be_summed(key: str, feeds: Mapping[str, Feed]) -> None:
    for column in feeds[key].model_columns:
        if column.bounds is not None and column.dtype.is_numeric():
            digits = 10**3 if column.dtype.is_float() else 1  # what a reported value and litres are counted with
            assert max(map(abs, column.bounds)) * digits * SUMMED <= LARGEST, column.name


@pytest.mark.parametrize("value", ["amount_gross * 11", "amount_net * 10 - amount_vat"])
def test_a_row_whose_sums_could_run_over_is_refused(
    write: Callable[..., object], feeds: Mapping[str, Feed], value: str
) -> None:
    row = {"code": "lodging.large", "feed": "tax.einvoice", "value": value}
    with pytest.raises(ConfigError, match="90,000"):
        load_catalogue(write(row), feeds)  # type: ignore[arg-type]  # a path

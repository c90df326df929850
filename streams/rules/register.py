"""Joining events with the register of reporters and the area tree, as both were on the event's business date."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ioc.feeds.feed import Feed
from ioc.province.reporter import Reporter, over_time
from ioc.territory.area import AreaTree


class Register:
    """The reporters of one feed and the areas that its records may lie in, as frames ready to be joined."""

    def __init__(self, feed: Feed, reporters: Iterable[Reporter], areas: AreaTree) -> None:
        self.feed = feed
        rows = [
            {
                "place": reporter.code,
                "area_code": reporter.area_code,
                "valid_from": reporter.valid_from,
                "valid_to": reporter.valid_to,
                **{column: reporter.attributes.get(name) for column, (name, _) in feed.enrich.items()},
            }
            for reporter in over_time((r for r in reporters if r.feed == feed.key), areas)
        ]
        schema: dict[str, pl.DataType] = {
            "place": pl.String(),
            "area_code": pl.String(),
            "valid_from": pl.Date(),
            "valid_to": pl.Date(),
            **{column: dtype for column, (_, dtype) in feed.enrich.items()},
        }
        self._places = pl.DataFrame(rows, schema=schema, orient="row")
        self._codes = self._places.select("place").unique()
        self._known = frozenset(self._codes["place"].to_list())
        self._areas = areas.frame(leaves=not feed.any_level)

    def knows(self, code: str) -> bool:
        """Whether a reporter, or a place of one, is registered under a code, at any time."""
        return code in self._known

    def locate(self, events: pl.DataFrame) -> pl.DataFrame:
        """Add `known_reporter`, `area_code`, `area_id` and the enriched columns to `events`.

        events: has `row` (0..n-1), `reporter`, `effective_on` (null for voids) and the model's columns. What cannot
        be found stays null; the order of rows is kept.
        """
        feed = self.feed
        events = events.join(
            self._codes.with_columns(known_reporter=pl.lit(True)),
            left_on="reporter",
            right_on="place",
            how="left",
        ).with_columns(pl.col("known_reporter").fill_null(False))
        if feed.place is None:
            located = self._on_date(events.select("row", "effective_on", place="reporter"))
        else:
            place = self._on_date(events.select("row", "effective_on", place=feed.place))
            reporter = self._on_date(events.select("row", "effective_on", place="reporter"))
            located = pl.concat([place, reporter]).unique("row", keep="first", maintain_order=True)
        if feed.located:
            located = located.drop("area_code").join(events.select("row", "area_code"), on="row")
        found = located.join(events.select("row", "effective_on"), on="row").join(
            self._areas, left_on="area_code", right_on="code"
        )
        found = found.filter(_valid()).select("row", "area_id")
        own = [] if feed.located else ["area_code"]
        events = events.join(located.select("row", *own, *feed.enrich), on="row", how="left", maintain_order="left")
        return events.join(found, on="row", how="left", maintain_order="left")

    def _on_date(self, events: pl.DataFrame) -> pl.DataFrame:
        """Return one register entry per row: the one that held on the business date."""
        entries = events.join(self._places, on="place").filter(_valid())
        return entries.select("row", "area_code", *self.feed.enrich).unique("row", keep="first", maintain_order=True)


def _valid() -> pl.Expr:
    return (pl.col("effective_on") >= pl.col("valid_from")) & (pl.col("effective_on") < pl.col("valid_to"))

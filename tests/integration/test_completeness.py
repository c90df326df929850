"""Who should have reported, by hand: sellers and their shops, and for each reported indicator its agency."""

from __future__ import annotations

from datetime import date

from testbed.feed_event import BA_RIA, PROVINCE, VUNG_TAU, invoice, reported
from testbed.pipeline import Pipeline

from ioc.catalogue.store import load_editions
from ioc.reading.explanation import Explainer
from ioc.reading.explanation.model import Completeness

# A commune with three sellers, and a petrol shop of a seller in another commune.
COMMUNE, SELLER, OTHERS = "26599", "3590000076", ["3590000742", "3590007265"]
FIRM, SHOP = "3590007184", "3590007184.CHXD-03"
SPENDING, LOSS, BEDS = "budget.spending.total", "electricity.loss", "health_system.beds"


def completeness(pipeline: Pipeline, code: str, area: str, period: str = "month") -> tuple[Completeness, ...]:
    compiled = load_editions(pipeline.connection).live.compiled
    explainer = Explainer(pipeline.connection, compiled, pipeline.feeds, pipeline.profile.areas)
    return explainer.explain(code, explainer.cell(area, period, date(2024, 10, 5))).completeness


def codes(found: Completeness) -> list[str]:
    return [one.code for one in found.missing]


def test_a_shop_has_reported_when_its_firm_names_it(pipeline: Pipeline) -> None:
    pipeline.send("tax.einvoice", [invoice(SELLER, 1)])
    (before,) = completeness(pipeline, "einvoice.invoices.total", COMMUNE)
    # Invoices come when something is sold: who has sent none is not missing.
    assert (before.feed, before.indicator, before.expected, before.reported) == ("tax.einvoice", None, None, 1)
    assert codes(before) == []
    pipeline.send("tax.einvoice", [invoice(FIRM, 1, shop_id=SHOP)])
    (after,) = completeness(pipeline, "einvoice.invoices.total", COMMUNE)
    assert (after.expected, after.reported, codes(after)) == (None, 2, [])
    (day,) = completeness(pipeline, "einvoice.invoices.total", COMMUNE, "day")
    assert day.reported == 2
    pipeline.send("tax.einvoice", [invoice(OTHERS[0], 2, issued_on="2024-10-06")])
    (day,) = completeness(pipeline, "einvoice.invoices.total", COMMUNE, "day")
    assert day.reported == 2, "an invoice of the next day says nothing of this one"


def test_a_reported_indicator_waits_for_its_own_agency(pipeline: Pipeline) -> None:
    """The power company answers for losses: reports of others, of other indicators and other months are not its own."""
    pipeline.send(
        "report.value",
        [
            reported("so-tai-chinh", SPENDING, VUNG_TAU, "month", "2024-10-01", 1),
            reported("dien-luc", LOSS, PROVINCE, "month", "2024-09-01", 3.5),
        ],
    )
    (loss,) = completeness(pipeline, LOSS, PROVINCE)
    assert (loss.feed, loss.indicator, loss.expected, loss.reported) == ("report.value", LOSS, 1, 0)
    assert [(one.code, one.name) for one in loss.missing] == [("dien-luc", "Công ty Điện lực tỉnh")]
    pipeline.send("report.value", [reported("dien-luc", LOSS, PROVINCE, "month", "2024-10-01", 3)])
    assert [(one.expected, one.reported) for one in completeness(pipeline, LOSS, PROVINCE)] == [(1, 1)]
    # A share is that of the area it was reported for: the district's is still to come.
    assert [(one.expected, one.reported) for one in completeness(pipeline, LOSS, BA_RIA)] == [(1, 0)]


def test_a_stock_is_reported_while_a_report_of_it_holds(pipeline: Pipeline) -> None:
    pipeline.send("report.value", [reported("so-y-te", BEDS, VUNG_TAU, "quarter", "2024-07-01", 900)])
    assert [one.reported for one in completeness(pipeline, BEDS, PROVINCE)] == [0], "it held to the end of September"
    pipeline.send("report.value", [reported("so-y-te", BEDS, VUNG_TAU, "quarter", "2024-10-01", 910)])
    assert [one.reported for one in completeness(pipeline, BEDS, PROVINCE)] == [1]
    assert [one.reported for one in completeness(pipeline, BEDS, BA_RIA)] == [0]


def test_what_another_agency_has_reported_the_one_that_answers_does_not_owe(pipeline: Pipeline) -> None:
    pipeline.send("report.value", [reported("cuc-thong-ke", LOSS, PROVINCE, "month", "2024-10-01", 3)])
    (loss,) = completeness(pipeline, LOSS, PROVINCE)
    assert (loss.expected, loss.reported, codes(loss)) == (1, 1, [])


def test_each_input_of_a_formula_has_an_entry(pipeline: Pipeline) -> None:
    """Records over residents: the health stations by their feed, the residents by their agency."""
    found = completeness(pipeline, "health_record.coverage", PROVINCE)
    assert [(one.feed, one.indicator) for one in found] == [
        ("health.record", None),
        ("report.value", "population.residents.total"),
    ]

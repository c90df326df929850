"""What pip-audit says is told apart from that it could not say anything."""

from __future__ import annotations

import json

import pytest

from deploy.documentation.weakness import Weakness, read_answer, verdict

CLEAN = {"name": "polars", "version": "1.30.0", "vulns": []}
WEAK = {
    "name": "jinja2",
    "version": "3.1.2",
    "vulns": [
        {"id": "GHSA-h5c8-rqwp-cp95", "fix_versions": ["3.1.3"], "aliases": ["CVE-2024-22195"], "description": "XSS"}
    ],
}
SKIPPED = {"name": "aiokafka", "skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.mark.parametrize(
    ("packages", "status"),
    [([CLEAN], 0), ([CLEAN, WEAK], 1), ([SKIPPED], 3), ([], 3), ([CLEAN, SKIPPED], 3), ([WEAK, SKIPPED], 1)],
)
def test_the_status_says_what_is_known(packages: list[dict[str, object]], status: int) -> None:
    assert verdict(read_answer(json.dumps({"dependencies": packages, "fixes": []})))[0] == status


@pytest.mark.parametrize(
    "report", ["", "Traceback", "[]", '{"dependencies": 3}', '{"dependencies": [{"vulns": [{}]}]}']
)
def test_what_is_no_answer_is_not_good(report: str) -> None:
    assert read_answer(report) is None
    assert verdict(None)[0] == 3


def test_a_weakness_is_told_with_what_to_do() -> None:
    answer = read_answer(json.dumps({"dependencies": [WEAK]}))
    assert answer is not None
    assert answer.weaknesses == [Weakness("jinja2", "3.1.2", "GHSA-h5c8-rqwp-cp95", ("3.1.3",))]
    assert "jinja2 3.1.2: GHSA-h5c8-rqwp-cp95, mended in 3.1.3" in verdict(answer)[1]

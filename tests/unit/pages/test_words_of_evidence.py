"""Whatever an incident's evidence holds is called by a Vietnamese name on its page."""

from __future__ import annotations

import re

from ioc.api.pages.word import HIDDEN_EVIDENCE, field_name
from ioc.settings import ROOT

SOURCES = ("detect", "lagging", "quality_job", "reconcile_job", "stream_fault", "probe", "overseer", "scheduler")


def test_every_field_of_evidence_has_a_name() -> None:
    """The words in quotes of the modules that make evidence, as far as they are fields: `"areas_total": ...`."""
    found: set[str] = set()
    for name in SOURCES:
        text = (ROOT / "streams" / "status" / f"{name}.py").read_text(encoding="utf-8")
        for part in re.findall(r"evidence(?:: [^=]+)? ?= ?\{(.*?)\n            ?\}", text, re.DOTALL):
            found.update(re.findall(r'"([a-z_]+)":', part))
    assert {"areas_total", "newest_accepted_at", "usual_share", "breakdowns", "missing_total"} <= found
    unnamed = {name for name in found if field_name(name) == name.replace("_", " ")}
    assert unnamed <= {*HIDDEN_EVIDENCE, "topic", "board"}

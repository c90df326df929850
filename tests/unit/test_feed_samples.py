"""Samples of the feeds: events as they travel, one of each case, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ioc.feeds.feed import Feed
from ioc.feeds.validation import reasons_of
from ioc.province.profile import Profile

FILES = sorted((Path(__file__).parent.parent / "samples" / "feeds").glob("*.json"))
CASES = {"valid", "corrected", "voided", "late", "invalid"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_samples(file: Path, feeds: Mapping[str, Feed], profile: Profile) -> None:
    feed = feeds[file.stem]
    samples: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    assert {sample["case"] for sample in samples} == CASES
    known = {reporter.code for reporter in profile.reporters if reporter.feed == feed.key}
    revisions: dict[str, int] = {}
    for sample in samples:
        event = sample["event"]
        if sample["case"] == "invalid":
            with pytest.raises(ValidationError) as caught:
                feed.envelope.validate_python(event)
            assert [reason.field for reason in reasons_of(caught.value)] == [sample["refused_field"]]
            continue
        envelope = feed.envelope.validate_json(json.dumps(event))
        assert envelope.reporter in known
        if envelope.data is not None:
            assert envelope.subject == f"{envelope.reporter}/{envelope.data.record_key()}"
        assert (sample["case"] == "voided") == envelope.voided
        # Corrections and voids are of a record that the samples brought before.
        earlier = revisions.get(envelope.subject, 0)
        assert (earlier > 0) == (sample["case"] in ("corrected", "voided"))
        assert envelope.effective_revision > earlier
        revisions[envelope.subject] = envelope.effective_revision

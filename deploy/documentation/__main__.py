"""`python -m deploy.documentation`: what `make docs` runs."""

from __future__ import annotations

from deploy.documentation import write_pages
from ioc.settings import ROOT

write_pages(ROOT / "docs")

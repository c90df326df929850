"""`python -m deploy.documentation`: what `make docs` runs."""

from __future__ import annotations

import sys

from deploy.documentation import write_pages
from ioc.errors import ConfigError
from ioc.settings import ROOT

try:
    write_pages(ROOT / "docs")
except ConfigError as error:  # a mistake in the catalogue or the profile
    sys.exit(f"error: {error}")

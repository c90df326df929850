"""Which writer makes a file of which format; every format that is read has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from deploy.simulator.native import health, invoice, lodging, office, report, table
from deploy.simulator.native.file import NativeWriter

# Format -> (feed whose records it takes, writers).
WRITERS: Final[Mapping[str, tuple[str, tuple[NativeWriter, ...]]]] = {
    "usage_table": ("app.usage", (table.usage,)),
    "cloudevents_json": ("tourism.stay", (office.events,)),
    "document_edxml": ("document.flow", (office.document,)),
    "dossier_dvc_json": ("dossier.event", (office.dossiers,)),
    "reading_table": ("environment.reading", (table.readings,)),
    "station_txt": ("environment.reading", (office.station,)),
    "feedback_table": ("feedback.ticket", (table.tickets,)),
    "giamdinhhs_xml": ("health.checkout", (health.visits,)),
    "record_fhir": ("health.record", (health.health_records,)),
    "record_table": ("health.record", (table.health_records,)),
    "infosec_table": ("infosec.event", (table.security_events,)),
    "registry_table": ("registry.reporter", (table.register,)),
    "report_sdmx_json": ("report.value", (report.sdmx_json,)),
    "report_table": ("report.value", (report.reports, report.sdmx_csv)),
    "einvoice_xml": ("tax.einvoice", (invoice.message_200, invoice.message_300, invoice.message_303)),
    "lodging_daily_json": ("tourism.daily_report", (lodging.daily_json,)),
    "lodging_daily_table": ("tourism.daily_report", (table.daily_reports,)),
    "lodging_foreign_xlsx": ("tourism.stay", (lodging.foreign_xlsx,)),
    "lodging_foreign_xml": ("tourism.stay", (lodging.foreign_xml,)),
    "lodging_vietnamese_xlsx": ("tourism.stay", (lodging.vietnamese_xlsx,)),
    "immunization_fhir": ("vaccination.dose", (health.doses,)),
    "immunization_table": ("vaccination.dose", (table.doses,)),
}

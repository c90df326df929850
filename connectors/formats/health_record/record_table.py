"""Health records as CSV, XLSX or JSON rows, one a person, as the software of the stations exports them."""

from __future__ import annotations

from typing import Any

from connectors.formats.age import age_group, years_between
from connectors.formats.field import BIRTH, DAY, MOMENT, PERSON, TEXT, WHOLE, choice, dropped, field
from connectors.formats.findings import Findings
from connectors.formats.flat import Built, RecordMap, flat_format, order_of, reporter_of
from connectors.formats.format import Context
from connectors.formats.health_record.record import FEED, person_key

_SEXES = {"Nam": "male", "M": "male", "1": "male", "Nữ": "female", "F": "female", "2": "female"}
_SECTIONS = {
    "allergy_on": "allergy_on|ngay_di_ung|ngày khai dị ứng",
    "blood_group_on": "blood_group_on|ngay_nhom_mau|ngày khai nhóm máu",
    "vaccination_on": "vaccination_on|ngay_tiem_chung|ngày khai tiêm chủng",
    "chronic_on": "chronic_on|ngay_benh_man_tinh|ngày khai bệnh mạn tính",
    "linked_on": "linked_on|ngay_lien_ket_vneid|ngày liên kết VNeID",
}
FIELDS = (
    field("reporter", "facility_code|ma_tram|mã trạm", TEXT, note="by the crosswalk; else --reporter"),
    field("item", "record_id|ma_ho_so|mã hồ sơ", TEXT, personal="keyed HMAC", note="else the person's number"),
    field("person", "person_id|so_dinh_danh|số định danh", PERSON, personal="keyed HMAC"),
    field("created", "created_on|ngay_lap|ngày lập hồ sơ", DAY, required=True),
    field("ended", "ended_on|ngay_ket_thuc|ngày kết thúc", DAY),
    field("sex", "sex|gioi_tinh|giới tính", choice(_SEXES), required=True),
    field("born", "birth_date|ngay_sinh|ngày sinh", BIRTH, required=True, personal="age band"),
    *(field(name, sources, DAY, personal="group only", note="since when") for name, sources in _SECTIONS.items()),
    field("updated_at", "updated_at|cap_nhat_luc", MOMENT),
    field("revision", "revision|phien_ban", WHOLE),
    dropped("full_name|ho_ten|họ tên"),
    dropped("phone|dien_thoai"),
    dropped("address|dia_chi"),
    dropped("insurance_card|so_the_bhyt"),
)


def _build(values: dict[str, Any], findings: Findings, context: Context) -> Built:
    reporter = reporter_of(values, FEED, findings, context)
    key = values.get("item") or (person_key(values["person"]) if values.get("person") else "")
    if not key:
        findings.missing("record_id")
    moment, revision = order_of(values, context)
    today = moment.astimezone(context.timezone).date()
    born = values["born"].day
    if born > today:
        findings.refuse("birth_date", "day_order", "ngày sinh ở tương lai", "the birth date lies ahead")
    findings.settle()
    fields = {
        "kind": "record",
        "item_id": context.pseudonymise("health_record", key),
        "occurred_on": values["created"],
        "ended_on": values.get("ended"),
        "sex": values["sex"],
        "age_group": age_group(years_between(born, today)),
        **{name: values.get(name) for name in _SECTIONS},
    }
    return Built(reporter, fields, moment, revision)


FORMAT = flat_format(
    "record_table",
    RecordMap(FEED, FIELDS, ("created", "sex", "born"), _build),
    title_vi="hồ sơ sức khỏe: CSV, XLSX, JSON",
    title_en="health records: CSV, XLSX, JSON",
)

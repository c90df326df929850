"""What people read on boards and in alerts, Vietnamese and English side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Literal, NamedTuple

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")


class Text(NamedTuple):
    """A text in both languages."""

    vi: str
    en: str

    def of(self, language: Language) -> str:
        """Return it in one language."""
        return self.vi if language == "vi" else self.en


PERIODS: dict[str, Text] = {
    "day": Text("Ngày", "Day"),
    "week": Text("Tuần", "Week"),
    "month": Text("Tháng", "Month"),
    "quarter": Text("Quý", "Quarter"),
    "year": Text("Năm", "Year"),
}
LEVELS: dict[str, Text] = {
    "province": Text("Tỉnh, thành phố", "Province"),
    "district": Text("Huyện, thị xã", "District"),
    "commune": Text("Xã, phường", "Commune"),
}
# A dimension that is not listed shows its key: a new one needs no code, it only reads better with a row here.
BREAKDOWNS: dict[str, Text] = {
    "origin": Text("Nguồn khách", "Origin"),
    "nationality": Text("Quốc tịch", "Nationality"),
    "lodging_type": Text("Loại cơ sở lưu trú", "Type of lodging"),
    "notifier": Text("Loại cơ sở thông báo lưu trú", "Kind of place that notifies"),
    "star": Text("Hạng sao", "Star rating"),
    "age_group": Text("Nhóm tuổi", "Age group"),
    "sex": Text("Giới tính", "Sex"),
    "purpose": Text("Mục đích chuyến đi", "Purpose of the trip"),
    "doc_type": Text("Giấy tờ khai báo", "Document declared"),
    "stay_class": Text("Số đêm lưu trú", "Length of stay"),
    "home_region": Text("Nơi khách đến", "Home region"),
    "revenue_item": Text("Khoản doanh thu", "Item of revenue"),
    "event": Text("Xử lý hóa đơn", "What happened to the invoice"),
    "invoice_type": Text("Loại hóa đơn", "Type of invoice"),
    "code_kind": Text("Hình thức hóa đơn", "Kind of e-invoice"),
    "vat_rate": Text("Thuế suất GTGT", "VAT rate"),
    "vsic": Text("Ngành kinh tế", "Industry"),
    "seller_type": Text("Loại hình người bán", "Type of seller"),
    "pay_method": Text("Hình thức thanh toán", "Method of payment"),
    "buyer_type": Text("Loại người mua", "Type of buyer"),
    "product": Text("Mặt hàng xăng dầu", "Fuel"),
    "section": Text("Phần của hồ sơ", "Section of the record"),
    "content": Text("Nội dung hồ sơ có", "Content held"),
    "condition": Text("Bệnh được quản lý", "Managed condition"),
    "check_group": Text("Đối tượng khám định kỳ", "Group checked"),
    "visit_type": Text("Hình thức khám chữa bệnh", "Type of visit"),
    "payer": Text("Nguồn chi trả", "Payer"),
    "facility_tier": Text("Tuyến cơ sở y tế", "Tier of facility"),
    "route": Text("Tuyến đến khám", "Route of referral"),
    "icd_chapter": Text("Chương bệnh ICD-10", "ICD-10 chapter"),
    "outcome": Text("Kết quả điều trị", "Outcome"),
    "discharge_type": Text("Tình trạng ra viện", "Type of discharge"),
    "cost_source": Text("Nguồn chi phí", "Source of payment"),
    "cost_item": Text("Khoản chi phí", "Item of cost"),
    "id_method": Text("Giấy tờ tiếp đón", "Identification at check-in"),
    "send_status": Text("Gửi cổng giám định", "Sent to the claims portal"),
    "disease": Text("Bệnh truyền nhiễm", "Notifiable disease"),
    "ncd": Text("Bệnh không lây nhiễm", "Non-communicable disease"),
    "injury": Text("Nguyên nhân tai nạn, thương tích", "Cause of injury"),
    "vaccine_dose": Text("Vắc xin và mũi tiêm", "Vaccine and dose"),
    "vaccine": Text("Vắc xin", "Vaccine"),
    "cohort": Text("Nhóm đối tượng", "Cohort"),
    "dropout_pair": Text("Cặp mũi tiêm", "Pair of doses"),
    "programme": Text("Hình thức tiêm chủng", "Programme"),
    "site_type": Text("Loại cơ sở tiêm chủng", "Type of site"),
    "severity": Text("Mức độ", "Severity"),
    "level": Text("Cấp cơ quan", "Level of the agency"),
    "field": Text("Lĩnh vực thủ tục", "Field of the procedure"),
    "channel": Text("Kênh tiếp nhận", "Channel"),
    "timeliness": Text("Tiến độ", "Timeliness"),
    "state": Text("Tình trạng", "State"),
    "service_level": Text("Mức độ trực tuyến", "Online level of the service"),
    "submitter": Text("Người nộp", "Filed by"),
    "rating": Text("Mức hài lòng", "Rating"),
    "category": Text("Lĩnh vực phản ánh", "Subject of the feedback"),
    "direction": Text("Chiều văn bản", "Direction"),
    "format": Text("Hình thức văn bản", "Form of the document"),
    "task_state": Text("Kết quả nhiệm vụ", "State of the task"),
    "app": Text("Ứng dụng", "App"),
    "incident_type": Text("Loại sự cố", "Type of incident"),
    "param": Text("Thông số", "Parameter"),
    "band": Text("Mức chất lượng không khí", "Air quality band"),
    "feed": Text("Nguồn dữ liệu", "Source of the data"),
    "main_index": Text("Chỉ số chính", "Main index"),
    "pillar": Text("Trụ cột chuyển đổi số", "Pillar"),
    "subscription": Text("Loại thuê bao", "Subscription"),
    "generation": Text("Thế hệ mạng", "Generation"),
    "exchange": Text("Loại tổng đài", "Exchange"),
    "site": Text("Nơi kết nối", "Site"),
    "school_level": Text("Cấp học", "Level of school"),
    "scheme": Text("Chế độ", "Scheme"),
    "use": Text("Mục đích sử dụng", "Use"),
    "mode": Text("Phương thức vận tải", "Mode of transport"),
    "vehicle": Text("Loại xe", "Vehicle"),
    "harm": Text("Hậu quả", "Harm"),
    "violation": Text("Hành vi vi phạm", "Violation"),
    "crime": Text("Loại tội phạm", "Crime"),
    "crop": Text("Cây trồng", "Crop"),
    "animal": Text("Vật nuôi", "Animal"),
    "industry": Text("Ngành công nghiệp", "Industry"),
    "industrial_product": Text("Sản phẩm công nghiệp", "Industrial product"),
    "item": Text("Khoản mục", "Item"),
    "group": Text("Nhóm", "Group"),
}


def breakdown_name(dimension: str) -> Text:
    """Return a breakdown dimension's name."""
    plain = dimension.replace("_", " ")
    return BREAKDOWNS.get(dimension, Text(plain, plain))


def within(text: str) -> str:
    """Return a name as it stands within a sentence: `Nhóm tuổi` becomes `nhóm tuổi`, `ICD-10 chapter` stays."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def shared_words(names: Sequence[str]) -> list[str]:
    """Return the words that all names begin with."""
    columns = zip(*(name.split() for name in names), strict=False)
    return [words[0] for words in takewhile(lambda words: len(set(words)) == 1, columns)]


def short_labels(names: Sequence[str]) -> list[str]:
    """Drop the words that all names begin with: they stand in the panel's title.

    >>> short_labels(["Lượt khách quốc tịch Hàn Quốc", "Lượt khách quốc tịch Nga"])
    ['Hàn Quốc', 'Nga']
    """
    shared = len(shared_words(names)) if len(names) > 1 else 0
    labels = [re.sub(r"^[\W_]+", "", " ".join(name.split()[shared:])) for name in names]
    return [label[:1].upper() + label[1:] if label else name for label, name in zip(labels, names, strict=True)]

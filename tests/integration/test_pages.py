"""The pages without a browser: who gets in, what each shows, what is written, and what is refused."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import httpx
import pytest
from testbed.page_bed import LEADER, Bed, client_of, text_of
from testbed.page_data import GUESTS, NOW
from testbed.page_site import Clock, site
from testbed.server import cloned_database, free_ports

from ioc.database.connection import connect
from ioc.settings import Settings

PATHS = ("/", "/sectors/lodging", f"/indicators/{GUESTS}", "/incidents", "/incidents/1", "/morning")


@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_is_asked_to_enter(bed: Bed, path: str) -> None:
    answer = bed.stranger().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/enter?next=%2F")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
def test_every_page_allows_no_script_no_frame_and_is_kept_nowhere(bed: Bed, path: str) -> None:
    answer = bed.leader().get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith("<!DOCTYPE html>") and '<html lang="vi">' in answer.text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", answer.text)


def test_a_readers_token_opens_the_pages_until_it_is_revoked(bed: Bed) -> None:
    token, secret = bed.tokens.create("Phòng tổng hợp", (), (), reads=True)
    client = bed.stranger()
    answer = client.post("/enter", data={"token": secret, "next": "/morning"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/morning")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert secret not in answer.headers["set-cookie"]
    assert client.get("/").status_code == 200
    bed.tokens.revoke(token.id)
    assert client.get("/").status_code == 303


def test_a_publishers_token_opens_its_own_page_alone_and_a_wrong_one_nothing(bed: Bed) -> None:
    _, secret = bed.tokens.create("PMS", ("tourism.stay",), ("*",))
    client = bed.stranger()
    assert client.post("/enter", data={"token": secret, "next": "/incidents"}).headers["location"] == "/sending"
    assert client.get("/incidents").headers["location"] == "/sending"
    for given in ("ioc_x_y", ""):
        answer = bed.stranger().post("/enter", data={"token": given})
        assert answer.status_code == 401
        assert "không đúng" in answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "x"]
)
def test_entering_leads_nowhere_else(bed: Bed, to: str) -> None:
    _, secret = bed.tokens.create("Đọc", (), (), reads=True)
    assert bed.stranger().post("/enter", data={"token": secret, "next": to}).headers["location"] == "/"


def test_a_link_ends_and_cannot_be_changed(bed: Bed) -> None:
    link = bed.signing.link("/morning", LEADER, hours=2)
    changed = link[:-2] + ("AA" if link[-2:] != "AA" else "BB")
    assert bed.stranger().get(changed).status_code == 403
    client = bed.stranger()
    assert client.get(link).status_code == 303
    bed.clock.now = NOW + timedelta(hours=2, seconds=1)
    assert client.get("/morning").status_code == 303  # its session ends with it
    answer = bed.stranger().get(link)
    assert answer.status_code == 403 and "hết hạn" in answer.text
    # A session is no link.
    assert bed.stranger().get(f"/link/{client.cookies.get('ioc_session')}").status_code == 403


def test_the_overview_says_what_is_behind_what_is_not_known_and_why(bed: Bed) -> None:
    text = text_of(bed.leader().get("/"))
    assert "Tổng lượt khách lưu trú" in text and "14,2 %" in text
    assert "121 chỉ tiêu do nguồn" in text
    assert "Mũi tiêm: mất dữ liệu 2 ngày" in text
    assert re.search(r"1\.\d{3} không có mục tiêu", text)


def test_a_simulated_past_is_shown_in_its_own_units(bed: Bed) -> None:
    """After the reform of 2025 the figures of 2024 are still those of the province of 2024."""
    with site(bed.settings, Clock(NOW.replace(year=2026))) as (app, signing, _):
        client = client_of(app)
        client.get(signing.link("/", LEADER))
        for path in ("/", "/sectors/lodging", f"/indicators/{GUESTS}", "/morning"):
            text = text_of(client.get(path))
            assert "hành phố Hồ Chí Minh ·" not in text and "quan thành phố Hồ Chí Minh" not in text, path
            assert re.search(r"Số liệu đến \d\d/10/2024", text), path


def test_a_sector_lists_every_indicator_the_worst_first(bed: Bed) -> None:
    text = text_of(bed.leader().get("/sectors/lodging"))
    assert "132 chỉ tiêu" in text
    assert text.index("Chậm tiến độ") < text.index("Công suất")
    assert bed.leader().get("/sectors/nothing").status_code == 404


def test_an_indicator_shows_its_course_against_the_pace_its_areas_and_why(bed: Bed) -> None:
    answer = bed.leader().get(f"/indicators/{GUESTS}")
    text = text_of(answer)
    assert "Mục tiêu ≥ 500 lượt đến 31/12/2024" in text
    assert "Chậm 14,2 %" in text and "41 ngày" in text
    assert "Lũy kế từ đầu kỳ" in text and "Tiến độ phải đạt" in text
    assert answer.text.count('class="line reactive nofill"') == 2
    assert "Thành phố Vũng Tàu" in text and "22,5 %" in text
    assert "bản ghi được tính" in text
    assert "3 đơn vị đã gửi dữ liệu" in text


def test_an_area_and_a_period_are_shown_as_asked(bed: Bed) -> None:
    client = bed.leader()
    text = text_of(client.get("/indicators/lodging.guests.total?area=747&period=day"))
    assert "Thành phố Vũng Tàu" in text and "Theo ngày" in text and "Phường Thắng Tam" in text
    assert client.get("/indicators/lodging.guests.total?area=000").status_code == 404
    assert client.get("/indicators/no.such").status_code == 404
    assert client.get("/indicators/lodging.guests.total?period=decade").status_code == 200


def test_an_incident_shows_evidence_history_and_receipts(bed: Bed) -> None:
    text = text_of(bed.leader().get(f"/incidents/{bed.incident - 1}"))
    assert "thiếu trường bắt buộc" in text and "bản ghi gần nhất 07:05 22/10/2024" in text
    text = text_of(bed.leader().get(f"/incidents/{bed.incident}"))
    assert "Mở sự cố" in text and "Giám đốc Sở Du lịch qua thư điện tử" in text
    assert "so-du-lich.lodging" not in text  # posts are shown by their titles
    assert bed.leader().get("/incidents/999").status_code == 404


def test_acknowledging_needs_the_form_of_the_very_session_and_incident(bed: Bed) -> None:
    client, other = bed.leader(), bed.leader()
    path = f"/incidents/{bed.incident}/acknowledge"
    form = re.search(r'name="form" value="([^"]+)"', client.get(f"/incidents/{bed.incident}").text)
    assert form is not None
    bed.clock.now += timedelta(seconds=1)
    stolen = bed.stranger()
    later = client_of(bed.app)
    later.get(bed.signing.link("/", "Người khác"))
    assert stolen.post(path, data={"form": form[1]}).headers["location"].startswith("/enter")
    assert later.post(path, data={"form": form[1]}).status_code == 403
    assert client.post(path, data={"form": "x"}).status_code == 403
    assert client.post(path, content=b"{}").status_code == 415
    assert client.post(f"/incidents/{bed.incident - 1}/acknowledge", data={"form": form[1]}).status_code == 403
    assert client.get(path).status_code == 405
    assert client.post(path, data={"form": form[1], "note": "x" * 5000}).status_code == 413
    assert bed.rows("SELECT count(*) FROM incident WHERE acknowledged_by IS NOT NULL") == [(0,)]

    assert client.post(path, data={"form": form[1], "note": "<b>Đã giao</b>"}).status_code == 303
    assert client.post(path, data={"form": form[1]}).status_code == 303  # twice does no harm
    assert bed.rows(f"SELECT acknowledged_by FROM incident WHERE incident_id = {bed.incident}") == [(LEADER,)]
    assert bed.rows("SELECT what, by, through, note FROM incident_change WHERE what = 'acknowledged'") == [
        ("acknowledged", LEADER, "link", "<b>Đã giao</b>")
    ]
    page = other.get(f"/incidents/{bed.incident}").text
    assert f"{LEADER}</strong> đã nhận xử lý" in page
    assert "&lt;b&gt;Đã giao" in page and "<b>Đã giao" not in page


def form_of(client: httpx.Client, incident: int, what: str) -> str:
    """The field of an act's form on an incident's page."""
    page = client.get(f"/incidents/{incident}").text
    action = f"/incidents/{incident}/{what}"
    found = re.search(rf'action="{action}">\s*<input type="hidden" name="form" value="([^"]+)"', page)
    assert found is not None, what
    return found[1]


def test_an_incident_is_assigned_and_silenced_by_who_has_the_link(bed: Bed) -> None:
    client, path = bed.leader(), f"/incidents/{bed.incident}"

    def send(what: str, **fields: str) -> int:
        form = form_of(client, bed.incident, what)
        return client.post(f"{path}/{what}", data={"form": form, **fields}).status_code

    assert send("assign", to="Giám đốc Sở Du lịch", note="trong tuần") == 303
    assert send("assign", to=" ") == 409
    assert send("silence", hours="24", note="chờ nhà cung cấp") == 303
    text = text_of(client.get(path))
    assert "Giao cho Giám đốc Sở Du lịch" in text
    assert "Tạm dừng báo đến 07:10 25/10/2024 chờ nhà cung cấp" in text
    assert send("silence", hours="0") == 303
    assert "Tạm dừng báo đến" not in text_of(client.get(path))
    assert send("silence", hours="24", note="") == 409  # without a reason nobody is kept from knowing
    assert send("silence", hours="9999", note="x") == 422
    # The form of one act is none of another.
    assert client.post(f"{path}/silence", data={"form": form_of(client, bed.incident, "assign")}).status_code == 403
    acts = bed.rows(f"SELECT what, by, through, note FROM incident_change WHERE incident_id = {bed.incident} "
                    "AND what IN ('assigned', 'silenced', 'unsilenced') ORDER BY change_id")  # fmt: skip
    assert acts == [
        ("assigned", LEADER, "link", "Giám đốc Sở Du lịch. trong tuần"),
        ("silenced", LEADER, "link", "chờ nhà cung cấp"),
        ("unsilenced", LEADER, "link", ""),
    ]


def test_an_indicator_names_who_has_not_reported(bed: Bed) -> None:
    with connect(bed.settings, "owner", autocommit=True) as connection:
        root = connection.execute("SELECT area_id FROM area WHERE code = '77'").fetchone()
        assert root is not None
        for query in (
            "UPDATE indicator_status SET status = 'incomplete', cause = 'tourism.daily_report', reported = 1, due = 3, "
            "bucket = '2024-10-22' WHERE code = 'lodging.occupancy.total'",
            "UPDATE indicator_status SET status = 'incomplete', cause = 'report.value:cong-an-tinh', reported = 0, "
            "due = 1 WHERE code = 'population.residents.total'",
        ):
            connection.execute(query.encode())
        connection.execute(
            "INSERT INTO quality_measure (day, measure, feed, sector, area_id, numerator, denominator, detail, "
            "measured_at) VALUES ('2024-10-22', 'complete', 'tourism.daily_report', 'lodging', %s, 1, 3, %s, now())",
            [
                root[0],
                '{"missing": [{"code": "a", "name": "Khách sạn Biển Xanh"}, {"code": "b", "name": "Nhà nghỉ An"}]}',
            ],
        )
    client = bed.leader()
    text = text_of(client.get("/indicators/lodging.occupancy.total"))
    assert "Ai chưa báo cáo Khách sạn Biển Xanh, Nhà nghỉ An." in text
    text = text_of(client.get("/indicators/population.residents.total"))
    assert "chờ báo cáo của Công an tỉnh" in text
    assert "Công an tỉnh chưa gửi số liệu của kỳ đã đến hạn" in text
    assert "chờ báo cáo của Công an tỉnh" in text_of(client.get("/"))
    assert "report.value:" not in text_of(client.get("/morning"))


def test_the_morning_page_tells_what_changed_overnight(bed: Bed) -> None:
    text = text_of(bed.leader().get("/morning"))
    assert text.index("Xấu đi trong 24 giờ qua Tổng lượt khách lưu trú") > 0
    assert "Sắp đến hạn" in text and "Chưa biết" in text


def test_without_a_scheduler_nothing_is_called_good(
    template_database: str, stack_settings: Settings, tmp_path: object
) -> None:
    own = stack_settings.model_copy(update={"db_name": f"t{uuid.uuid4().hex[:12]}", "api_burst": 1000.0})
    with cloned_database(own, template_database), site(own, Clock()) as (app, signing, _):
        client = client_of(app)
        client.get(signing.link("/", LEADER))
        for path in ("/", "/morning"):
            text = text_of(client.get(path))
            assert "Chưa có đánh giá tiến độ" in text
            assert "Không có chỉ tiêu nào chậm" not in text and "Mọi chỉ tiêu đều" not in text
        assert "chưa có số liệu" in text_of(client.get(f"/indicators/{GUESTS}"))


def test_statuses_that_nobody_keeps_current_are_called_old(bed: Bed) -> None:
    client = bed.leader()
    assert "Đánh giá lúc 07:10" in text_of(client.get("/"))
    bed.clock.now = NOW + timedelta(minutes=6)
    for path in ("/", "/morning", f"/indicators/{GUESTS}"):
        assert "Đánh giá đã cũ, dừng từ 07:10" in text_of(client.get(path))


def test_a_database_that_is_away_is_told_as_a_page(bed: Bed) -> None:
    away = bed.settings.model_copy(update={"db_port": free_ports(1)[0], "db_connect_timeout": 1})
    with site(away, bed.clock) as (app, signing, _):
        client = client_of(app)
        client.get(signing.link("/", LEADER))
        answer = client.get("/")
    assert answer.status_code == 503
    assert "Cơ sở dữ liệu tạm thời gián đoạn" in answer.text


def test_what_an_incident_touches_fits_a_phone_and_says_how_much_is_left_out(bed: Bed) -> None:
    """One of 48 indicators in 27 units made a page of 15,000 pixels, cut at 100 rows without a word."""
    with connect(bed.settings, "owner", autocommit=True) as connection:
        row = connection.execute(
            "INSERT INTO incident (cause, kind, severity, sector, owner, title_vi, title_en, summary_vi, summary_en,"
            " evidence, since, opened_at, changed_at, seen_at, closed_at, step_at)"
            " SELECT 'test:wide', 'feed_silent', 'warning', 'lodging', 'x', 'Rộng', 'Wide', 'Rộng', 'Wide', '{}',"
            " at, at, at, at, at, at FROM (SELECT now() - interval '90 days' AS at) long_ago RETURNING incident_id"
        ).fetchone()
        assert row is not None
        connection.execute(
            "INSERT INTO incident_touch (incident_id, code, area_id, touched_at) SELECT %s, code, area_id, now()"
            " FROM (SELECT code FROM indicator WHERE live ORDER BY indicator_id LIMIT 25) i,"
            " (SELECT area_id FROM area WHERE valid_to > '2024-10-24' ORDER BY area_id LIMIT 5) a",
            row,
        )
    html = bed.leader().get(f"/incidents/{row[0]}").text
    before, _, after = html.partition("<summary>88 dòng nữa</summary>")
    assert (before.count('data-label="Địa bàn"'), after.count('data-label="Địa bàn"')) == (12, 88)
    assert "Hiện 100 trong 125 dòng" in html

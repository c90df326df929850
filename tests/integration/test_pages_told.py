"""What the pages' service tells others and is told: the API beside the commands, Grafana's receipts, links by mail."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from testbed.page_bed import Bed, client_of, text_of
from testbed.page_data import GUESTS
from testbed.page_site import site

from ioc.database.connection import connect


def test_status_incidents_and_quality_over_http_are_what_the_commands_say(bed: Bed) -> None:
    with connect(bed.settings, "owner", autocommit=True) as connection:
        connection.execute(
            "INSERT INTO quality_measure (day, measure, feed, sector, area_id, numerator, denominator, detail, "
            "measured_at) SELECT '2024-10-23', 'clean', 'tourism.stay', 'lodging', area_id, 97, 100, "
            "'{\"rejected\": 3}', now() FROM area WHERE code = '77' ON CONFLICT DO NOTHING"
        )
    token = bed.tokens.create("Portal", feeds=(), reporters=(), reads=True)[1]
    client = client_of(bed.app)
    client.headers["authorization"] = f"Bearer {token}"

    def asked(path: str) -> Any:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def told(*words: str) -> Any:
        command = [str(Path(sys.executable).with_name("ioc")), *words, "--json"]
        environment = bed.settings.to_environment()
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=True)
        return json.loads(done.stdout)

    def same(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> bool:
        """Whether each row of the API says what the command's row says; the command's may say more."""
        pairs = zip(rows, others, strict=True)
        return all(row[name] == other[name] for row, other in pairs for name in row if name in other)

    statuses = asked(f"/v1/status?code={GUESTS}")["statuses"]
    assert [(row["area_code"], row["status"], row["lag"]) for row in statuses] == [
        ("747", "lagging", 22.5), ("77", "lagging", 14.2), ("748", "lagging", 3.1),
    ]  # fmt: skip
    assert same(statuses, told("status", "--code", GUESTS))
    lagging = asked("/v1/status?status=lagging")["statuses"]
    assert [row["code"] for row in lagging] == [GUESTS]
    assert same(lagging, told("status", "--lagging"))
    incidents = asked("/v1/incidents?closed=true")["incidents"]
    assert bed.incident in {row["incident_id"] for row in incidents}
    assert same(incidents, told("incident", "list", "--all"))
    one = asked(f"/v1/incidents/{bed.incident}")
    assert one["changes"] and one["touches"] and one["receipts"]
    assert same([one], [told("incident", "show", str(bed.incident))])
    quality = asked("/v1/quality?feed=tourism.stay")["measures"]
    assert [(row["measure"], row["numerator"], row["denominator"], row["share"]) for row in quality] == [
        ("clean", 97.0, 100.0, 97.0)
    ]
    assert same(quality, told("quality", "--feed", "tourism.stay"))
    for path in ("/v1/incidents/99999", "/v1/status?status=good", "/v1/quality?on=yesterday"):
        assert client.get(path).status_code in (404, 422)


def test_grafana_tells_what_it_sent_and_the_page_shows_it(bed: Bed) -> None:
    own = bed.settings.model_copy(update={"receipt_token": SecretStr("grafana-tells")})
    body = {
        "receiver": r"IOC: so-du-lich\.lodging",  # quoted as a regular expression, as Grafana sends it
        "status": "firing",
        "title": "[CẢNH BÁO] Tổng lượt khách lưu trú chậm",
        "groupKey": "{}/{}:{incident}",
        "alerts": [{"status": "firing", "labels": {"incident": str(bed.incident), "step": "0", "event": "open"},
                    "annotations": {"title": "x"}, "startsAt": "2024-10-24T00:00:00Z", "fingerprint": "f"}],
        "version": "1", "orgId": 1, "externalURL": "http://localhost:3000/", "truncatedAlerts": 0,
    }  # fmt: skip
    with site(own, bed.clock) as (app, _, _):
        client = client_of(app)
        path = "/v1/notifications/grafana?via=webhook&via=email"
        assert client.post(path, json=body).status_code == 401
        assert client.post(path, json=body, headers={"authorization": "Bearer wrong"}).status_code == 401
        client.headers["authorization"] = "Bearer grafana-tells"
        assert client.post(path, json=body).json() == {"entered": 2}
        assert client.post(path, json=body).json() == {"entered": 0}
        # Grafana itself sends user and password; whoever has another password, or none, is refused.
        del client.headers["authorization"]
        assert client.post(path, json=body, auth=("ioc", "grafana-tells")).json() == {"entered": 0}
        assert client.post(path, json=body, auth=("ioc", "wrong")).status_code == 401
        assert client.post(path, json=body, headers={"authorization": "Basic %"}).status_code == 401
        assert client.post(path, json={"alerts": []}).status_code == 422
    text = text_of(bed.leader().get(f"/incidents/{bed.incident}"))
    post = "Cán bộ phụ trách số liệu lưu trú du lịch, Sở Du lịch"
    assert f"{post} qua thư điện tử" in text and f"{post} qua webhook" in text
    # Where no token is set there is no such address.
    assert client_of(bed.app).post(path, json=body).status_code == 404


def test_who_has_a_posts_mailbox_asks_for_a_link_there(bed: Bed) -> None:
    """Grafana's message names the incident's page; a link that opens it is sent to the post, and to nobody else."""
    own = bed.settings.model_copy(update={"smtp_host": "127.0.0.1"})
    asked = "SELECT recipient, channel, opens FROM notification_outbox WHERE key LIKE 'link:%'"
    with site(own, bed.clock) as (app, _, _):
        client = client_of(app)
        answer = client.get(f"/incidents/{bed.incident}")
        assert answer.headers["location"] == f"/enter?next=%2Fincidents%2F{bed.incident}"
        page = client.get(answer.headers["location"]).text
        assert "Gửi liên kết cho tôi" in page and f'name="next" value="/incidents/{bed.incident}"' in page

        def ask(email: str, to: str = f"/incidents/{bed.incident}") -> str:
            sent = client.post("/enter", data={"email": email, "next": to})
            assert sent.status_code == 200 and "set-cookie" not in sent.headers
            return text_of(sent)

        stranger = ask("somebody@example.com")
        assert bed.rows(asked) == []
        assert ask(" Truong@so-du-lich.brvt.invalid ") == stranger  # neither answer says who is known
        ask("truong@so-du-lich.brvt.invalid")
        rows = bed.rows(asked)
        assert [(channel, opens) for _, channel, opens in rows] == [("email", f"/incidents/{bed.incident}")]
        bed.clock.now += timedelta(minutes=2)
        ask("truong@so-du-lich.brvt.invalid", to="https://elsewhere.example/")
        assert {opens for _, _, opens in bed.rows(asked)} == {f"/incidents/{bed.incident}", "/"}
        assert not any("/link/" in str(row) for row in bed.rows("SELECT body, opens FROM notification_outbox"))
    # Without a mail server nobody can ask.
    assert "Gửi liên kết cho tôi" not in bed.stranger().get("/enter").text
    assert bed.stranger().post("/enter", data={"email": "truong@so-du-lich.brvt.invalid"}).status_code == 401

"""Tokens: kept as hashes, replaced whole, read again when they change."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ioc.errors import ConfigError, RejectedError
from ioc.web.cli import app
from ioc.web.tokens import TokenFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens.json"


def rule_of(tokens: TokenFile, secret: str) -> str:
    with pytest.raises(RejectedError) as refused:
        tokens.authenticate(secret)
    return refused.value.reasons[0].rule


def test_a_secret_is_shown_once_and_kept_as_a_hash(path: Path) -> None:
    token, secret = TokenFile(path).create("Tourism", ["tourism.stay"], ["77-*"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = path.read_text()
    assert secret not in kept and secret.split("_", 2)[2] not in kept
    assert token.sha256 in kept
    assert len(secret.split("_", 2)[2]) >= 43  # 256 bits in base 64
    assert TokenFile(path).authenticate(secret) == token


def test_only_the_whole_secret_opens(path: Path) -> None:
    tokens = TokenFile(path)
    token, secret = tokens.create("a", ["tourism.stay"], ["*"])
    other, _ = tokens.create("b", ["tourism.stay"], ["*"])
    wrong = ["", token.id, secret[:-1], secret + "x", secret.upper(), secret.replace(token.id, other.id), "ioc_é_é"]
    assert {rule_of(tokens, candidate) for candidate in wrong} == {"token_unknown"}


def test_a_token_expires_to_the_second(path: Path) -> None:
    now = datetime(2024, 10, 1, tzinfo=UTC)
    tokens = TokenFile(path, now=lambda: now)
    _, secret = tokens.create("a", ["tourism.stay"], ["*"], expires_at=now + timedelta(hours=1))
    now += timedelta(seconds=3599)
    tokens.authenticate(secret)
    now += timedelta(seconds=1)
    assert rule_of(tokens, secret) == "token_expired"


def test_changes_of_another_process_are_seen_at_once(path: Path) -> None:
    gateway, operator = TokenFile(path), TokenFile(path)
    assert rule_of(gateway, "ioc_000000000000_x") == "token_unknown"
    token, secret = operator.create("a", ["tourism.stay"], ["*"])
    assert gateway.authenticate(secret) == token
    operator.revoke(token.id)
    assert rule_of(gateway, secret) == "token_revoked"


def test_a_broken_file_leaves_the_known_tokens_and_is_named(path: Path) -> None:
    tokens = TokenFile(path)
    token, secret = tokens.create("a", ["tourism.stay"], ["*"])
    tokens.authenticate(secret)
    good = path.read_bytes()
    path.write_text('[{"id": "x"}]')
    assert tokens.authenticate(secret) == token
    with pytest.raises(ConfigError, match=r"tokens\.json: 0\.id"):
        tokens.read()
    with pytest.raises(ConfigError):
        tokens.create("b", ["tourism.stay"], ["*"])
    path.write_bytes(good)
    assert TokenFile(path).authenticate(secret) == token


def test_a_deleted_file_leaves_the_known_tokens_until_there_is_one_again(path: Path) -> None:
    tokens = TokenFile(path)
    token, secret = tokens.create("a", ["tourism.stay"], ["*"])
    assert tokens.authenticate(secret) == token
    path.unlink()
    assert tokens.authenticate(secret) == token
    TokenFile(path).create("b", ["tourism.stay"], ["*"])
    assert rule_of(tokens, secret) == "token_unknown"


def test_without_a_file_a_new_process_knows_nobody(path: Path) -> None:
    _, secret = TokenFile(path).create("a", ["tourism.stay"], ["*"])
    path.unlink()
    assert rule_of(TokenFile(path), secret) == "token_unknown"
    assert TokenFile(path).read() == ()


def test_a_rotation_overlaps_and_then_only_the_new_secret_opens(path: Path) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    tokens = TokenFile(path, now=lambda: now[0])
    token, old = tokens.create("a", ["tourism.stay"], ["*"], now[0] + timedelta(days=30))
    rotated, new = tokens.rotate(token.id, timedelta(days=7), now[0] + timedelta(days=90))
    assert (rotated.id, rotated.name, rotated.feeds) == (token.id, token.name, token.feeds)
    assert tokens.authenticate(old).id == tokens.authenticate(new).id == token.id
    assert old not in path.read_text() and new not in path.read_text()
    now[0] += timedelta(days=7)
    assert rule_of(tokens, old) == "token_unknown"
    assert tokens.authenticate(new) == rotated
    now[0] += timedelta(days=40)
    assert tokens.authenticate(new) == rotated  # the rotation renewed it
    _, newest = tokens.rotate(token.id, timedelta(0))
    assert rule_of(tokens, new) == "token_unknown"
    assert tokens.authenticate(newest).expires_at == rotated.expires_at
    tokens.revoke(token.id)
    assert rule_of(tokens, newest) == "token_revoked"
    with pytest.raises(ConfigError, match="no live token"):
        tokens.rotate(token.id, timedelta(days=1))


def test_a_second_rotation_ends_the_first_secret(path: Path) -> None:
    tokens = TokenFile(path)
    token, first = tokens.create("a", ["tourism.stay"], ["*"])
    _, second = tokens.rotate(token.id, timedelta(days=7))
    _, third = tokens.rotate(token.id, timedelta(days=7))
    assert rule_of(tokens, first) == "token_unknown"
    assert tokens.authenticate(second).id == tokens.authenticate(third).id == token.id


def test_revoking_twice_keeps_the_first_time(path: Path) -> None:
    tokens = TokenFile(path)
    token, _ = tokens.create("a", ["tourism.stay"], ["*"])
    assert tokens.revoke(token.id) == tokens.revoke(token.id)
    with pytest.raises(ConfigError, match="token list"):
        tokens.revoke("000000000000")


def test_writers_at_the_same_time_lose_nothing(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: TokenFile(path).create(str(n), ["tourism.stay"], ["*"]), range(24)))
    assert sorted(int(token.name) for token in TokenFile(path).read()) == list(range(24))
    assert sorted(file.name for file in path.parent.iterdir()) == ["tokens.json", "tokens.json.lock"]


def test_the_commands_create_list_and_revoke(path: Path) -> None:
    runner = CliRunner(env={"IOC_TOKEN_FILE": str(path)})
    options = ["Sở Du lịch", "--feed", "tourism.stay", "--reporter", "77-*", "--days", "30", "--json"]
    created = json.loads(runner.invoke(app, ["create", *options]).stdout)
    assert TokenFile(path).authenticate(created["secret"]).name == "Sở Du lịch"
    (listed,) = json.loads(runner.invoke(app, ["list", "--json"]).stdout)
    assert listed == {name: value for name, value in created.items() if name != "secret"}
    assert (listed["state"], listed["feeds"], listed["reporters"]) == ("live", ["tourism.stay"], ["77-*"])
    assert "sha256" not in listed
    assert json.loads(runner.invoke(app, ["revoke", created["id"], "--json"]).stdout)["state"] == "revoked"
    plain = runner.invoke(app, ["create", "x", "--feed", "tax.einvoice", "--reporter", "*"])
    assert TokenFile(path).authenticate(plain.stdout.strip()).name == "x"
    unknown = runner.invoke(app, ["create", "x", "--feed", "tax.nope", "--reporter", "*"])
    assert isinstance(unknown.exception, ConfigError) and "tourism.stay" in str(unknown.exception)
    reader = json.loads(runner.invoke(app, ["create", "portal", "--reader", "--json"]).stdout)
    assert (reader["reads"], reader["feeds"]) == (True, [])
    both = runner.invoke(app, ["create", "x", "--reader", "--feed", "tax.einvoice"])
    assert isinstance(both.exception, ConfigError) and "two" in str(both.exception)
    neither = runner.invoke(app, ["create", "x", "--feed", "tax.einvoice"])
    assert isinstance(neither.exception, ConfigError) and "--reader" in str(neither.exception)

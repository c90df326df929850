"""The first lines that a sector's engineer copies: run where the tools are, compiled where they only compile."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from testbed.gateway import START
from testbed.http_server import HttpServer, http_server

from connectors.gateway.app import create_app
from connectors.gateway.producer import InMemoryEventProducer
from ioc.feeds.feed import load_feeds
from ioc.settings import ROOT, Settings
from ioc.web.tokens import TokenFile

PAGE = ROOT / "ioc" / "api" / "pages" / "template" / "sending.html"
FILE = ROOT / "tests" / "samples" / "formats" / "lodging_daily_json" / "days.json"
FEED = "tourism.daily_report"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HttpServer, str]]:
    directory = tmp_path_factory.mktemp("quick")
    settings = Settings(_env_file=None, state_dir=directory, token_file=directory / "tokens.json")
    tokens = TokenFile(settings.token_file, now=lambda: START + timedelta(days=1))
    _, secret = tokens.create("Quick", [FEED], ["77-*"])
    with http_server(create_app(settings, load_feeds(), tokens, InMemoryEventProducer())) as server:
        yield server, secret


def snippet(language: str, server: HttpServer, secret: str) -> str:
    """What the page shows for a language, with its gaps filled."""
    shown = dict(re.findall(r"<h3>([^<]+)</h3>\n<pre>(.*?)</pre>", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    text = html.unescape(shown[language])
    text = text.replace("{{ view.gateway }}", f"http://127.0.0.1:{server.port}").replace("{{ feed }}", FEED)
    assert "{{" not in text
    return text.replace("MÃ", secret)


def run(command: list[str], directory: Path) -> str:
    done = subprocess.run(command, check=False, cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_answered(said: str) -> None:
    """A dry run: what would be taken, and what is wrong with the rest."""
    answer = json.loads(said)
    assert answer["dry_run"] is True
    assert answer["format"] == "lodging_daily_json"
    assert answer["accepted"] > 0


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "tep.json").write_bytes(FILE.read_bytes())
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl(gateway: tuple[HttpServer, str], place: Path) -> None:
    is_answered(run(["sh", "-c", snippet("curl", *gateway).replace("curl ", "curl -sS ", 1)], place))


def test_python(gateway: tuple[HttpServer, str], place: Path) -> None:
    (place / "send.py").write_text(snippet("Python", *gateway), encoding="utf-8")
    is_answered(run([sys.executable, "-I", "-W", "ignore", "send.py"], place))


@pytest.mark.skipif(shutil.which("javac") is None, reason="there is no Java compiler")
def test_java(gateway: tuple[HttpServer, str], place: Path) -> None:
    imports = "import java.net.URI; import java.net.http.*; import java.nio.file.Path;"
    body = snippet("Java", *gateway)
    program = f"{imports} class Send {{ public static void main(String[] a) throws Exception {{ {body} }} }}"
    (place / "Send.java").write_text(program, encoding="utf-8")
    run(["javac", "-encoding", "UTF-8", "Send.java"], place)
    is_answered(run(["java", "-cp", ".", "Send"], place))


@pytest.mark.skipif(shutil.which("dotnet") is None, reason="there is no .NET")
def test_c_sharp(gateway: tuple[HttpServer, str], place: Path) -> None:
    run(["dotnet", "new", "console", "--force"], place)
    program = "using System.Net.Http.Headers;\n" + snippet("C#", *gateway)
    (place / "Program.cs").write_text(program, encoding="utf-8")
    is_answered(run(["dotnet", "run"], place))

"""The pages: what leaders and operators open in a browser or on a telephone. Server-rendered, without scripts.

Who opens a page has a session: a cookie that is begun by a reader's token or by a signed link. A page changes nothing;
the forms that do (about an incident) are sent by POST with a field that only their session can have.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ioc.api.pages.acting import ACTS, PageAct, PageActing
from ioc.api.pages.chart import PlottedCourse, course_chart
from ioc.api.pages.face import Face
from ioc.api.pages.form import SILENCES, day_of, form_of, hours_of, number_of
from ioc.api.pages.number import short_bucket
from ioc.api.pages.past import PastPageReading
from ioc.api.pages.reading import PageReading
from ioc.api.pages.sender import SENDING, SenderPages
from ioc.api.pages.view import IndicatorView
from ioc.api.problem import ProblemError, unstorable_problem
from ioc.api.scope import is_bound
from ioc.errors import DatabaseUnavailableError, RejectedError, UnstorableError
from ioc.incident.acting import What
from ioc.notification.link_request import LinkRequests
from ioc.period import PERIODS
from ioc.reading.explanation import Explanation
from ioc.web.rate_limit import RateLimit
from ioc.web.signing import Signing, Visitor
from ioc.web.tokens import TokenFile

_MOST_NOTE = 500
_MOST_MOMENT = 40
_MOST_NAME = 200
# Hours for which an incident may be silenced on a page, and what they are called; longer ones are silenced by command.
_STYLE = (Path(__file__).parent / "style.css").read_bytes()
_STYLE_TAG = hashlib.sha256(_STYLE).hexdigest()[:12]
_ICON = (Path(__file__).parent / "icon.svg").read_bytes()
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
_HEADERS = {
    # No script at all, no style but the sheet, no frame around, no form to elsewhere.
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
Explain = Callable[..., Explanation]
PageHandler = Callable[[Request, Visitor], Response]


@dataclass(frozen=True)
class Pages:
    """What the pages are made of; `explain` is the API's own answer to why a figure is what it is.

    posts: code -> title of the duty ladders' posts; titles are shown, and offered where an incident is assigned.
    links: sends a signed link to a post's mailbox; none = links cannot be requested.
    """

    reading: PageReading
    past: PastPageReading
    acting: PageActing
    explain: Explain
    signing: Signing
    tokens: TokenFile
    limit: RateLimit
    face: Face
    posts: Mapping[str, str] = field(default_factory=dict)
    sender: SenderPages | None = None
    links: LinkRequests | None = None

    def add_to(self, app: FastAPI) -> None:
        """Add the pages to the application."""
        for path, handler in (
            ("/", self._overview),
            ("/sectors/{sector}", self._sector),
            ("/indicators/{code}", self._indicator),
            ("/incidents", self._incidents),
            ("/incidents/{incident_id}", self._incident),
            ("/morning", self._morning),
        ):
            app.add_route(path, self._guarded(handler), include_in_schema=False)
        for what in ACTS:
            path = f"/incidents/{{incident_id}}/{what}"
            app.add_route(path, self._acting(what), ["POST"], include_in_schema=False)
        app.add_route("/enter", self._enter, ["GET", "POST"], include_in_schema=False)
        app.add_route("/leave", self._leave, ["POST"], include_in_schema=False)
        app.add_route("/link/{signed}", self._open_link, include_in_schema=False)
        if self.sender is not None:
            self.sender.add_to(app, page=self._page, cookie=self._cookie, take=self._take, failed=self._failed)
        app.add_route("/style.css", _style, include_in_schema=False)
        app.add_route("/icon.svg", _icon, include_in_schema=False)

    def _guarded(self, handler: PageHandler) -> Callable[[Request], Awaitable[Response]]:
        """Let in who has a session, as often as is allowed, and show what goes wrong as a page."""

        async def guarded(request: Request) -> Response:
            visitor = self._visitor(request)
            if visitor is None:
                if self._sends(request):
                    return RedirectResponse(SENDING, 303, _HEADERS)
                asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/enter?next={quote(asked, safe='')}", 303, _HEADERS)
            try:
                self._take(visitor.name)
                return await run_in_threadpool(handler, request, visitor)
            except ProblemError as error:
                return self._failed(error, visitor)

        return guarded

    def _overview(self, request: Request, visitor: Visitor) -> Response:
        as_of = request.query_params.get("as_of", "")[:_MOST_MOMENT]
        page = self.past.overview(as_of) if as_of else self.reading.overview()
        return self._page("overview.html", visitor, page=page, as_of=as_of)

    def _sector(self, request: Request, visitor: Visitor) -> Response:
        sector, as_of = request.path_params["sector"], request.query_params.get("as_of", "")[:_MOST_MOMENT]
        page = self.past.sector(sector, as_of) if as_of else self.reading.sector(sector)
        return self._page("sector.html", visitor, page=page, as_of=as_of)

    def _indicator(self, request: Request, visitor: Visitor) -> Response:
        code, asked = request.path_params["code"], request.query_params
        period = asked.get("period") if asked.get("period") in PERIODS else None
        view = self.reading.indicator(code, area=asked.get("area") or None, period=period)
        course = PlottedCourse(
            [short_bucket(view.period, point.bucket) for point in view.course],
            [point.value for point in view.course],
            [point.expected for point in view.course],
        )
        chart = course_chart(course, f"{view.indicator['name_vi']}, {view.place.name}") if course.is_drawable else None
        as_of = asked.get("as_of", "")[:_MOST_MOMENT]
        chosen = day_of(asked.get("on", ""))
        explained, problem = self._explained(view, as_of, chosen)
        return self._page(
            "indicator.html",
            visitor,
            page=view,
            chart=chart,
            explained=explained,
            problem=problem,
            asked=period,
            as_of=as_of,
            on=chosen,
        )

    def _explained(self, view: IndicatorView, as_of: str, on: date | None) -> tuple[Explanation | None, str]:
        """Return what a figure is made of, or why that cannot be shown now.

        as_of: the moment as of which it is explained; empty for now.
        on:    a day of its period; none = the newest figure.
        """
        newest = next((point.bucket for point in reversed(view.course) if point.value is not None), None)
        if on is None and newest is None:
            return None, ""
        # What is summed up is explained as a whole.
        whole = view.summed and view.status is not None and on is None
        period = view.status["period"] if whole and view.status is not None else view.period
        try:
            return self.explain(
                view.indicator["code"],
                area=view.place.code,
                period=period,
                on=on or newest,
                limit=1,
                offset=0,
                **({"as_of": as_of} if as_of else {}),
            ), ""
        except ProblemError as error:
            return None, error.problem.detail_vi

    def _incidents(self, request: Request, visitor: Visitor) -> Response:
        return self._page("incidents.html", visitor, incidents=self.reading.incidents())

    def _incident(self, request: Request, visitor: Visitor) -> Response:
        incident_id = number_of(request)
        view = self.reading.incident(incident_id)
        cookie = self._cookie(request)
        forms = {what: self.signing.form(cookie, f"{what}/{incident_id}") for what in ACTS}
        return self._page(
            "incident.html", visitor, page=view, forms=forms, now=self.reading.now(), posts=self.posts, spans=SILENCES
        )

    def _morning(self, request: Request, visitor: Visitor) -> Response:
        as_of = request.query_params.get("as_of", "")[:_MOST_MOMENT]
        if not as_of:
            return self._page("morning.html", visitor, page=self.reading.morning(), now=self.reading.now())
        page = self.past.morning(as_of)
        return self._page("morning.html", visitor, page=page, now=page.place.computed_at, as_of=as_of)

    def _acting(self, what: What) -> Callable[[Request], Awaitable[Response]]:
        """Return what takes the form of an act."""

        async def acting(request: Request) -> Response:
            return await self._act(request, what)

        return acting

    async def _act(self, request: Request, what: What) -> Response:
        visitor = self._visitor(request)
        incident_id = number_of(request)
        if visitor is None:
            return RedirectResponse(f"/enter?next=/incidents/{incident_id}", 303, _HEADERS)
        try:
            self._take(visitor.name)
            form = await form_of(request)
            if not self.signing.is_form(form.get("form", ""), self._cookie(request), f"{what}/{incident_id}"):
                raise ProblemError(
                    403,
                    "form",
                    vi="biểu mẫu không phải của phiên này; hãy mở lại trang sự cố rồi bấm lần nữa",
                    en="the form is not of this session; open the incident again and send it once more",
                )
            act = PageAct(
                what,
                visitor.name,
                form.get("note", "").strip()[:_MOST_NOTE],
                hours_of(form.get("hours", "0")),
                form.get("to", "").strip()[:_MOST_NAME],
            )
            try:
                await run_in_threadpool(self.acting.act, incident_id, act)
            except DatabaseUnavailableError:
                raise ProblemError(
                    503,
                    "database_unavailable",
                    vi="cơ sở dữ liệu tạm thời gián đoạn; chưa ghi nhận, hãy bấm lại sau ít giây",
                    en="the database is away; nothing was entered, try again in a few seconds",
                ) from None
            except UnstorableError:
                raise unstorable_problem() from None
        except ProblemError as error:
            return self._failed(error, visitor)
        return RedirectResponse(f"/incidents/{incident_id}", 303, _HEADERS)

    async def _enter(self, request: Request) -> Response:
        """Show the form that takes a reader's token, and begin a session with a good one."""
        problem, status = "", 200
        target = _local(request.query_params.get("next", "/"))
        if request.method == "POST":
            try:
                self._take("enter")
                form = await form_of(request)
                target = _local(form.get("next", "/"))
                if self.links is not None and self.links.is_open and "email" in form:
                    await run_in_threadpool(self._ask_for_link, form["email"], target)
                    return self._page("enter.html", None, problem="", to=target, asked=True)
                token = self.tokens.authenticate(form.get("token", "").strip())
                if token.reads and is_bound(token):
                    raise ProblemError(403, "token_scope", vi=_BOUND, en="the token is bound to sectors or areas")
                if token.reads:
                    return self._welcome(self.signing.new_session(token.name, token.id), target)
                if self.sender is not None:
                    return self._welcome(self.signing.new_session(token.name, token.id, sends=True), SENDING)
                problem, status = "Mã này chỉ để gửi dữ liệu; hãy dùng mã đọc (ioc token create TÊN --reader).", 403
            except RejectedError as error:
                problem, status = f"{error.reasons[0].message_vi[:1].upper()}{error.reasons[0].message_vi[1:]}.", 401
            except ProblemError as error:
                problem, status = error.problem.detail_vi, error.problem.status
        return self._page("enter.html", None, status, problem=problem, to=target, asked=False)

    def _ask_for_link(self, email: str, to: str) -> None:
        assert self.links is not None
        try:
            self.links.ask(email, to)
        except DatabaseUnavailableError:
            raise ProblemError(
                503,
                "database_unavailable",
                vi="cơ sở dữ liệu tạm thời gián đoạn; chưa gửi được, hãy thử lại sau ít giây",
                en="the database is away; nothing was sent, try again in a few seconds",
            ) from None

    async def _open_link(self, request: Request) -> Response:
        opened = self.signing.open_link(request.path_params["signed"])
        if opened is None:
            return self._page("enter.html", None, 403, problem=_LINK_OVER, to="/", asked=False)
        to, visitor = opened
        return self._welcome(visitor, _local(to))

    async def _leave(self, request: Request) -> Response:
        response = RedirectResponse("/enter", 303, _HEADERS)
        response.delete_cookie(self._cookie_name, path="/", secure=self.signing.is_https, httponly=True, samesite="lax")
        return response

    def _welcome(self, visitor: Visitor, to: str) -> Response:
        response = RedirectResponse(to, 303, _HEADERS)
        seconds = max(0, int((visitor.ends_at - self.reading.now()).total_seconds()))
        # `lax`: a link in a message opens with the session that there is; a form from elsewhere does not bring it.
        response.set_cookie(
            self._cookie_name,
            self.signing.session(visitor),
            max_age=seconds,
            path="/",
            secure=self.signing.is_https,
            httponly=True,
            samesite="lax",
        )
        return response

    @property
    def _cookie_name(self) -> str:
        return "__Host-ioc" if self.signing.is_https else "ioc_session"

    def _cookie(self, request: Request) -> str:
        return request.cookies.get(self._cookie_name, "")

    def _visitor(self, request: Request) -> Visitor | None:
        """Return who sends a request; None without a session, or once the token behind it was revoked."""
        visitor = self.signing.open_session(self._cookie(request))
        if visitor is None or (visitor.token is not None and not self.tokens.may_read(visitor.token)):
            return None
        request.scope["facts"].token = visitor.token or "link"
        return visitor

    def _sends(self, request: Request) -> bool:
        """Whether a session is that of a token that publishes: it has a page of its own, and sees no other."""
        visitor = self.signing.open_session(self._cookie(request))
        return self.sender is not None and visitor is not None and visitor.sends

    def _take(self, name: str) -> None:
        if wait := self.limit.take(f"page:{name}", 1):
            pause = math.ceil(wait)
            raise ProblemError(
                429,
                "too_fast",
                vi=f"mở trang quá nhanh; hãy thử lại sau {pause} giây",
                en=f"too many requests; try again in {pause} s",
                headers={"retry-after": str(pause)},
            )

    def _page(self, template: str, visitor: Visitor | None, status: int = 200, **shown: Any) -> Response:
        links = self.links is not None and self.links.is_open
        style = f"/style.css?v={_STYLE_TAG}"
        html = self.face.render(template, visitor=visitor, links=links, style=style, **{"as_of": "", **shown})
        return Response(html, status, _HEADERS, media_type="text/html; charset=utf-8")

    def _failed(self, error: ProblemError, visitor: Visitor) -> Response:
        response = self._page(
            "problem.html",
            visitor,
            error.problem.status,
            title=HTTPStatus(error.problem.status).phrase,
            problem=error.problem,
        )
        response.headers.update({name: text for name, text in error.headers.items() if name == "retry-after"})
        return response


async def _style(request: Request) -> Response:
    return Response(_STYLE, 200, _FOR_EVER, media_type="text/css")


async def _icon(request: Request) -> Response:
    return Response(_ICON, 200, _FOR_EVER, media_type="image/svg+xml")


def _local(path: str) -> str:
    """Return a path of these pages as it is, and `/` for what would lead elsewhere."""
    parts = urlsplit(path)
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain and not parts.scheme and not parts.netloc else "/"


_BOUND = "Mã này bị giới hạn ngành hoặc địa bàn nên không mở được các trang; hãy đọc qua API."
_LINK_OVER = "Liên kết không đúng hoặc đã hết hạn. Hãy mở liên kết mới nhất, hoặc nhập mã truy cập."

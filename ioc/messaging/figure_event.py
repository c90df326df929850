"""Changes of figures as CloudEvents: what other systems read from the topic `ioc.figure.v1`.

An event's id is made of indicator, area, period, bucket and revision, so that a repeat is harmless: a reader keeps the
highest revision of each subject and may pass over an id that it has seen.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import to_json

_SPECVERSION: Final = "1.0"
FIGURE_EVENT_TYPE: Final = "vn.ioc.figure.v1"
FIGURE_SOURCE: Final = "urn:ioc:figures"
# SDMX's code list CL_OBS_STATUS: a figure, provisional because its period is not over, suppressed, none.
ObservationStatus = Literal["A", "P", "Q", "M"]


class FigureChange(BaseModel):
    """What a figure is now, and was when it was last told; null = there is none."""

    model_config = ConfigDict(frozen=True)

    indicator: Annotated[str, Field(description="Code of the indicator.", examples=["lodging.guests.total"])]
    version: Annotated[int, Field(description="Version of its definition.")]
    unit: str
    area_id: Annotated[int, Field(description="The administrative unit in its validity; never given to another.")]
    area_code: Annotated[str, Field(description="The unit's code, which a reform may give to another unit.")]
    area_level: Literal["country", "province", "district", "commune"]
    period: Literal["day", "week", "month", "quarter", "year"]
    bucket: Annotated[date, Field(description="First day of the period (Asia/Ho_Chi_Minh).")]
    value: float | None
    previous: float | None
    status: Annotated[
        ObservationStatus,
        Field(
            description="SDMX CL_OBS_STATUS: A a figure, P provisional (the period is not over), "
            "Q suppressed (a count under 5 of a health indicator), M no figure any more."
        ),
    ]
    revision: Annotated[int, Field(description="The higher is the later; numbers have gaps.")]


class FigureEvent(BaseModel):
    """The CloudEvents 1.0 envelope."""

    model_config = ConfigDict(frozen=True)

    specversion: Literal["1.0"] = _SPECVERSION
    id: Annotated[str, Field(description="indicator/area id/period/bucket/revision")]
    source: Literal["urn:ioc:figures"] = FIGURE_SOURCE
    type: Literal["vn.ioc.figure.v1"] = FIGURE_EVENT_TYPE
    subject: Annotated[str, Field(description="indicator/area id/period/bucket")]
    time: Annotated[AwareDatetime, Field(description="When the figure was changed.")]
    datacontenttype: Literal["application/json"] = "application/json"
    data: FigureChange


def figure_event_json(change: dict[str, Any], time: datetime) -> bytes:
    """Return the event of a change, whose names and types are those of `FigureChange`, as JSON.

    Unchecked: hundreds of thousands follow a rebuild, and all that is in them comes from the database.
    """
    subject = f"{change['indicator']}/{change['area_id']}/{change['period']}/{change['bucket']}"
    return to_json(
        {
            "specversion": _SPECVERSION,
            "id": f"{subject}/{change['revision']}",
            "source": FIGURE_SOURCE,
            "type": FIGURE_EVENT_TYPE,
            "subject": subject,
            "time": time,
            "datacontenttype": "application/json",
            "data": change,
        }
    )

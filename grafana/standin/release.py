"""How releases of Grafana differ in what the project uses; each difference with its public source.

Of these 9.4.0 (a build of its main branch) was run; of the others their pull requests and issues were read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from grafana.boards.board import Json


@dataclass(frozen=True)
class GrafanaRelease:
    """One release: HTTP's status for what it refuses, and what it puts into objects by itself.

    missing_rule:     GET of a rule that is not there (issue 66249).
    half_pair:        one of `__dashboardUid__` and `__panelId__` alone (pull request 96491).
    uid_checked:      uids of rules and contact points that are new hold 40 letters, digits, `-`, `_` at most; by a file
                      the server ends at its start (pull request 73793).
    new_rule_in_group: a PUT of a group may name rules that do not exist yet (pull request 99858).
    point_in_use:     DELETE of a contact point that a route names (pull requests 85481, 90117).
    point_taken:      POST of a contact point whose uid is there (pull request 98970).
    point_provenance: PUT of a contact point under another provenance (pull request 127699).
    rule_fields:      what GET of a rule has beside what was put.
    template_fields:  the same of a template (pull requests 82274, 91195).
    keeps_paused:     `isPaused` is known; 9.4.0's main branch drops it (pull request 62326).
    """

    name: str
    missing_rule: int = 500
    half_pair: int = 500
    uid_checked: bool = False
    new_rule_in_group: bool = False
    point_in_use: int = 500
    point_taken: int = 500
    point_provenance: int = 500
    rule_fields: Json = field(default_factory=dict)
    template_fields: Json = field(default_factory=dict)
    keeps_paused: bool = True


_FIELDS_10: Json = {"isPaused": False}
_FIELDS_11: Json = {**_FIELDS_10, "notification_settings": None, "record": None}
RELEASES = {
    release.name: release
    for release in (
        GrafanaRelease("9.4.0", keeps_paused=False),
        GrafanaRelease(
            "10.4.0",
            missing_rule=404,
            uid_checked=True,
            rule_fields=_FIELDS_10,
            template_fields={"provenance": "api"},
        ),
        GrafanaRelease(
            "11.6.0",
            missing_rule=404,
            half_pair=400,
            uid_checked=True,
            new_rule_in_group=True,
            point_in_use=409,
            point_taken=409,
            rule_fields={**_FIELDS_11, "keep_firing_for": "0s"},
            template_fields={"provenance": "api", "version": "6d1f"},
        ),
        GrafanaRelease(
            "12.4.0",
            missing_rule=404,
            half_pair=400,
            uid_checked=True,
            new_rule_in_group=True,
            point_in_use=409,
            point_taken=409,
            point_provenance=403,
            rule_fields={**_FIELDS_11, "keep_firing_for": "0s", "missingSeriesEvalsToResolve": None},
            template_fields={"provenance": "api", "version": "6d1f"},
        ),
    )
}
OLDEST = RELEASES["9.4.0"]

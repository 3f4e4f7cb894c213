"""Schemathesis asks whatever the schema allows, and what it does not; answers are as the schema says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from copydesk.web import DeskSettings, make_app

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
)
PATHS = (
    "/stories",
    "/stories/{id}",
    "/stories/{id}/timeline",
    "/articles",
    "/articles/{id}",
    "/articles/{id}/revisions",
    "/diff",
    "/search",
    "/changes",
    "/counts",
    "/sites",
    "/sites/{key}/runs",
    "/watchlists",
    "/watchlists/{id}/stories",
    "/rejections",
    "/runs",
    "/export",
)


@pytest.fixture(scope="module")
def api(desk_url: str) -> Iterator[Any]:
    app = make_app(DeskSettings(desk_url, hosts=("testserver",)))
    with TestClient(app):
        yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("path", PATHS)
def test_answers_are_as_the_schema_says(api: Any, path: str, mode: GenerationMode) -> None:
    operation = api[f"/api/v1{path}"]["GET"]

    @settings(
        max_examples=5,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=list(CHECKS))

    ask()


def test_the_schema_has_every_address(desk: TestClient) -> None:
    described = desk.get("/api/v1/openapi.json").json()
    assert set(described["paths"]) == {f"/api/v1{path}" for path in PATHS}
    for path, methods in described["paths"].items():
        assert set(methods) == {"get"}, path
        assert methods["get"]["description"], path

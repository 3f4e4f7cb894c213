"""Who may ask, and what an answer may do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from copydesk.web import DeskSettings, make_app
from copydesk.web.security import COOKIE, host_name
from tests.copydesk.web.conftest import PAGE

TOKEN = "a token that nobody guesses"
ADDRESSES = (
    "/",
    "/stories/1",
    "/search?q=ferry",
    "/api/v1/openapi.json",
    "/about",
    "/static/desk.css",
    "/nothing",
)


@pytest.fixture(scope="module")
def closed(desk_url: str) -> Iterator[TestClient]:
    """A desk that others can reach, so that it needs a token."""
    settings = DeskSettings(desk_url, "192.0.2.1", token=TOKEN)
    with TestClient(make_app(settings), base_url="http://192.0.2.1:8017") as client:
        yield client


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[", "localhost@evil.example"]
)
def test_a_foreign_host_is_refused(desk: TestClient, address: str, host: str) -> None:
    answer = desk.get(address, headers={"Host": host})
    assert answer.status_code == 400
    assert "article" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:1", "[::1]:8017", "localhost."])
def test_our_own_names_are_served_on_any_port(desk: TestClient, host: str) -> None:
    assert desk.get("/healthz", headers={"Host": host}).status_code == 200


def test_host_names() -> None:
    assert host_name("Desk.Example:80") == "desk.example"
    assert host_name("[::1]:8017") == "::1"
    assert host_name("[::1") == host_name("") == ""


@pytest.mark.parametrize("address", [one for one in ADDRESSES if "static" not in one])
def test_without_the_token_there_is_nothing(closed: TestClient, address: str) -> None:
    closed.cookies.clear()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = closed.get(address, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
    assert closed.get(address, headers=PAGE).status_code == 401
    assert closed.get("/healthz").status_code == 200


def test_with_the_token_there_is_everything(closed: TestClient) -> None:
    closed.cookies.clear()
    assert closed.get("/", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_person_logs_in(closed: TestClient) -> None:
    closed.cookies.clear()
    page = closed.get("/", headers=PAGE)
    assert 'type="password"' in page.text
    wrong = closed.post("/login", data={"token": "wrong"}, headers=PAGE)
    assert (wrong.status_code, COOKIE in closed.cookies) == (401, False)
    done = closed.post("/login", data={"token": TOKEN}, headers=PAGE, follow_redirects=False)
    assert done.status_code == 303
    cookie = done.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert closed.get("/", headers=PAGE).status_code == 200
    closed.cookies.clear()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Cookie": f"{COOKIE}=x"},
    ],
)
def test_a_form_of_another_site_is_refused(desk: TestClient, headers: dict[str, str]) -> None:
    assert desk.post("/login", data={"token": "x"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://127.0.0.1:8017"}, {}]
)
def test_our_own_form_is_taken(desk: TestClient, headers: dict[str, str]) -> None:
    assert desk.post("/login", data={"token": "x"}, headers=headers).status_code == 401


@pytest.mark.parametrize("address", ADDRESSES)
def test_answers_load_nothing_of_others(desk: TestClient, address: str) -> None:
    answer = desk.get(address, headers=PAGE)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


def test_scripts_of_other_sites_may_not_read_it_unless_named(desk: TestClient, desk_url: str) -> None:
    origin = {"Origin": "https://app.example"}
    assert "access-control-allow-origin" not in desk.get("/healthz", headers=origin).headers
    allowing = DeskSettings(desk_url, origins=("https://app.example",))
    with TestClient(make_app(allowing), base_url="http://127.0.0.1") as client:
        assert (
            client.get("/healthz", headers=origin).headers["access-control-allow-origin"] == origin["Origin"]
        )

# SPDX-License-Identifier: Apache-2.0
"""The page of a project's runs, for whoever holds a link to it."""

import html
import re

from parts.process import wait_until
from support import SUITE

NASTY = "\"><script>alert('✓')</script>&amp;"


def start(verdict):
    verdict.start("api-ingest")
    verdict.api.put("/v1/projects/shop", {"title": NASTY}, expect=201)
    return verdict.api


def trigger(api, **more):
    return api.post("/v1/runs", {"project": "shop", "suite": SUITE, **more}, expect=201)


def opened(api, url, query=None):
    anonymous = api.with_token(None)
    return anonymous.request("GET", url.removeprefix(api.url), params=query)


def numbers(page):
    return [int(number) for number in re.findall(r'<td><a href="[^"]+">(\d+): ', page.text)]


def cursor_of(page):
    found = re.search(r'name="cursor" value="([^"]+)"', page.text)
    return html.unescape(found[1]) if found else None


def test_a_link_opens_the_projects_runs_and_from_there_their_reports(verdict):
    api = start(verdict)
    runs = [trigger(api, branch=branch) for branch in ("main", "dev", "main", "main")]
    api.put("/v1/projects/bank", {"title": "Bank"}, expect=201)
    api.post("/v1/runs", {"project": "bank", "suite": SUITE}, expect=201)
    made = api.post("/v1/projects/shop/share", {"expires_in": "2d"}, expect=201)

    page = opened(api, made["url"])
    first = opened(api, made["url"], {"state": "queued", "suite": "", "branch": "main", "limit": 2})
    query = {"state": "", "branch": "main", "cursor": cursor_of(first)}
    rest = opened(api, made["url"], query)
    report = opened(api, re.search(r'<td><a href="([^"]+)"', page.text)[1])

    made_numbers = [run["number"] for run in runs]
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert numbers(page) == made_numbers[::-1] and cursor_of(page) is None
    assert numbers(first) == [made_numbers[3], made_numbers[2]]
    assert numbers(rest) == [made_numbers[0]]
    assert numbers(opened(api, made["url"], {"state": "passed", "suite": "unit"})) == []
    assert opened(api, made["url"], {"state": "odd"}).status_code == 400
    assert report.status_code == 200 and f"run {made_numbers[3]}" in report.text
    assert verdict.db.value("SELECT count(*) FROM api.audit WHERE action = 'project.share'") == 1


def test_names_of_others_are_text_on_the_page(verdict):
    api = start(verdict)
    trigger(api, title=NASTY, branch=NASTY, build_version=NASTY, commit='"><b>')
    url = api.post("/v1/projects/shop/share", expect=201)["url"]

    page = opened(api, url, {"branch": NASTY, "limit": 1, "suite": "unit"})
    trigger(api, branch=NASTY)
    more = opened(api, url, {"branch": NASTY, "limit": 1})

    policy = page.headers["Content-Security-Policy"]
    nonce = re.search(r"style-src 'nonce-(\w+)'", policy)[1]
    assert "default-src 'none'" in policy and f'<style nonce="{nonce}">' in page.text
    assert len(numbers(page)) == len(numbers(more)) == 1 and cursor_of(more)
    trigger(api, commit="a" + "é" * 8)
    assert "a" + "é" * 5 + "</span>" in opened(api, url, {"limit": 1}).content.decode()
    for text in (page.text, more.text):
        assert "<script" not in text and "<b>" not in text and NASTY not in text
    assert page.text.count("&lt;script&gt;") >= 5
    value = re.search(r'type="hidden" name="branch" value="([^"]*)"', more.text)[1]
    assert html.unescape(value) == NASTY


def test_a_link_is_good_for_its_time_and_for_that_page_alone(verdict):
    api = start(verdict)
    run = trigger(api)
    short = api.post("/v1/projects/shop/share", {"expires_in": "1s"}, expect=201)["url"]
    url = api.post("/v1/projects/shop/share", expect=201)["url"]
    report = run["links"]["html"]
    link = url.rpartition("/")[2]

    wait_until(lambda: opened(api, short).status_code == 410, 30, "the link to expire")
    assert opened(api, url[:-1]).status_code == 404
    assert opened(api, url.replace("/shared-runs/", "/shared/")).status_code == 404
    assert opened(api, report.replace("/shared/", "/shared-runs/")).status_code == 404
    badge = api.post("/v1/projects/shop/suites/unit/badge", expect=201)["svg"]
    assert opened(api, badge.replace("/badges/", "/shared-runs/")).status_code == 404
    assert opened(api, f"/v1/badges/{link}").status_code == 404
    bad = api.post("/v1/projects/shop/share", {"expires_in": "400d"}, expect=400)
    assert bad["errors"][0]["field"] == "expires_in"
    reader = api.post("/v1/tokens", {"name": "r", "scopes": ["runs:read"]})["token"]
    api.with_token(reader).post("/v1/projects/shop/share", expect=403)
    api.put("/v1/projects/bank", {"title": "Bank"}, expect=201)
    body = {"name": "t", "scopes": ["runs:write"], "project": "bank"}
    other = api.with_token(api.post("/v1/tokens", body)["token"])
    other.post("/v1/projects/shop/share", expect=404)


def test_links_to_the_page_are_taken_back(verdict):
    api = start(verdict)
    report = trigger(api)["links"]["html"]
    url = api.post("/v1/projects/shop/share", expect=201)["url"]
    api.put("/v1/projects/bank", {"title": "Bank"}, expect=201)
    of_bank = api.post("/v1/projects/bank/share", expect=201)["url"]
    reader = api.post("/v1/tokens", {"name": "r", "scopes": ["runs:read"]})["token"]

    api.with_token(reader).delete("/v1/projects/shop/share", expect=403)
    assert opened(api, url).status_code == 200
    api.delete("/v1/projects/shop/share", expect=204)
    gone = opened(api, url)
    again = api.post("/v1/projects/shop/share", expect=201)["url"]

    assert gone.status_code == 410 and gone.json()["detail"] == "this link was taken back"
    for good in (again, of_bank, report):
        assert opened(api, good).status_code == 200
    assert opened(api, url).status_code == 410
    audited = "SELECT count(*) FROM api.audit WHERE action = 'project.unshare'"
    assert verdict.db.value(audited) == 1


def test_a_page_looks_through_so_many_runs_and_goes_on_behind_them(verdict):
    api = start(verdict)
    old = trigger(api, branch="old")
    new = trigger(api, branch="new")
    verdict.db.query(
        """INSERT INTO api.run OVERRIDING SYSTEM VALUE
           SELECT (jsonb_populate_record(r, jsonb_build_object('number', r.number + i, 'id',
             overlay(gen_random_uuid()::text PLACING substr(r.id::text, 1, 13) FROM 1 FOR 13)))).*
           FROM api.run r, generate_series(1, 10000) i WHERE r.id = %s""",
        new["id"],
    )
    url = api.post("/v1/projects/shop/share", expect=201)["url"]

    first = opened(api, url, {"branch": "old"})
    rest = opened(api, url, {"branch": "old", "cursor": cursor_of(first)})
    found = opened(api, url, {"branch": "new"})

    assert numbers(first) == [] and "10000 runs were looked through" in first.text
    assert numbers(rest) == [old["number"]] and cursor_of(rest) is None
    assert len(numbers(found)) == 50 and "looked through" not in found.text

# SPDX-License-Identifier: Apache-2.0
"""What api-ingest shows of results: lists, logs, reports and links to them. The rows are put there
by the test; how they come there is the result-collector's."""

import http.server
import itertools
import json
import re
import shutil
import subprocess
import threading
import uuid
import xml.etree.ElementTree

import pytest
import support
from parts.process import wait_until
from support import TOP
from support.seats import ask_and_reset, take_all

SUITE = {**support.SUITE, "title": "Unit tests"}
NASTY = "</script><b>&\"'\x01\x1b[31m ✓ ]]>"


class Run:
    """A run with rows in the ledger."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.db = verdict.db
        verdict.start("api-ingest")
        verdict.api.put("/v1/projects/shop", {"title": "Shop"}, expect=201)
        made = verdict.api.post("/v1/runs", {"project": "shop", "suite": SUITE}, expect=201)
        self.id, self.number, self.links = made["id"], made["number"], made["links"]
        self.tasks = []
        for table in ("result", "log_chunk"):
            self.db.query(
                f"CREATE TABLE IF NOT EXISTS results.{table}_all PARTITION OF results.{table}"
                " DEFAULT"
            )
            self.db.query(f"GRANT SELECT ON results.{table}_all TO PUBLIC")

    def task(self, attempt=1):
        task, dispatch = str(uuid.uuid4()), str(uuid.uuid4())
        self.tasks.append(task)
        self.db.query(
            """INSERT INTO scheduling.task (id, run_id, pool_id, partition, ordinal, kind, state,
                 outcome, attempt, dispatch_id, deadline)
               SELECT %s, id, pool_id, 0, %s, 'automated', 'done', 'finished', %s, %s, now()
               FROM api.run WHERE id = %s""",
            task,
            len(self.tasks) - 1,
            attempt,
            dispatch,
            self.id,
        )
        return task

    def results(self, task, *results):
        """(status, name, more …)"""
        rows = [
            {
                "status": status,
                "name": name,
                "key": uuid.uuid5(uuid.NAMESPACE_URL, name).hex,
                "try": 1,
                "message": None,
                "trace": None,
                **(more[0] if more else {}),
            }
            for status, name, *more in results
        ]
        self.db.query(
            """INSERT INTO results.result (run_id, case_key, try, task_id, attempt, dispatch_id,
                 seq, status, file, class, name, duration_ms, message, trace)
               SELECT %s, decode(r->>'key', 'hex'), (r->>'try')::int, %s, 1, %s, 1, r->>'status',
                 'tests/a.py', 'tests.a', r->>'name', 1234, r->>'message', r->>'trace'
               FROM jsonb_array_elements(%s::jsonb) r""",
            self.id,
            task,
            str(uuid.uuid4()),
            json.dumps(rows),
        )

    def log(self, task, *texts):
        dispatch = str(uuid.uuid4())
        for seq, text in enumerate(texts):
            self.db.query(
                """INSERT INTO results.log_chunk (run_id, task_id, dispatch_id, attempt, seq,
                     stream, text) VALUES (%s, %s, %s, 1, %s, 'stdout', %s)""",
                self.id,
                task,
                dispatch,
                seq + 1,
                text,
            )

    def finish(self, state="failed", reason="cases_failed"):
        self.db.query(
            """INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state,
                 reason, reason_detail, priority, run_deadline, finished_at)
               SELECT id, project_id, pool_id, 0, %s, %s, 'so it was', 50, now(), now()
               FROM api.run WHERE id = %s""",
            state,
            reason,
            self.id,
        )

    def get(self, path, **options):
        return self.verdict.api.get(f"/v1/runs/{self.id}{path}", **options)

    def raw(self, path, **options):
        return self.verdict.api.request("GET", f"/v1/runs/{self.id}{path}", **options)


@pytest.fixture
def run(verdict):
    return Run(verdict)


def anonymous(run, url):
    api = run.verdict.api.with_token(None)
    return api.request("GET", url.removeprefix(run.verdict.api_url))


# lists ------------------------------------------------------------------------------------------


def test_results_are_paged_filtered_and_decided_by_the_last_try(run):
    task = run.task()
    run.results(task, *[("passed", f"ok-{i}") for i in range(7)], ("failed", "flaky"))
    run.results(task, ("passed", "flaky", {"try": 2}))

    items, cursor = [], ""
    while cursor is not None:
        page = run.get(f"/results?limit=3&cursor={cursor}" if cursor else "/results?limit=3")
        items += page["items"]
        cursor = page["next_cursor"]

    assert len(items) == 8 and len({i["case_key"] for i in items}) == 8
    assert {i["status"] for i in items} == {"passed"}
    assert items[0]["duration_ms"] == 1234 and items[0]["task_id"] == task
    everything = run.get("/results?tries=all&status=failed,passed&limit=200")["items"]
    assert sorted((i["name"], i["try"]) for i in everything)[:2] == [("flaky", 1), ("flaky", 2)]
    assert run.get("/results?status=failed")["items"] == []
    assert [i["name"] for i in run.get("/results?search=K-3")["items"]] == ["ok-3"]
    assert len(run.get(f"/results?task={task}&search=ok-")["items"]) == 7
    assert run.get(f"/results?task={uuid.uuid4()}")["items"] == []
    assert run.get(f"/results?search={'x' * 201}", expect=400)["errors"][0]["field"] == "search"
    assert run.get("/results?status=odd", expect=400)["errors"][0]["field"] == "status"
    assert run.get("/results?cursor=odd", expect=400)["errors"][0]["field"] == "cursor"


def test_tasks_and_logs_are_there_in_their_order(run):
    first, second = run.task(), run.task()
    run.log(first, "one\n", "two\n")
    run.log(second, "three\n")

    tasks = run.get("/tasks")["items"]
    text = run.raw("/logs")
    chunks = run.get("/logs?format=json&limit=2")
    rest = run.get(f"/logs?format=json&cursor={chunks['next_cursor']}")

    assert [t["id"] for t in tasks] == [first, second]
    assert text.headers["Content-Type"].startswith("text/plain")
    assert text.text == "one\ntwo\n\n==> task 1, attempt 1 <==\nthree\n"
    assert run.raw(f"/logs?task={second}").text.endswith("three\n")
    assert [c["text"] for c in chunks["items"] + rest["items"]] == ["one\n", "two\n", "three\n"]
    assert rest["next_cursor"] is not None  # it goes on
    run.finish()
    assert run.get("/logs?format=json")["next_cursor"] is None


def test_a_log_is_read_by_ranges_of_its_bytes(run):
    task = run.task()
    run.log(task, "one\n", "✓\n", "[cut]\n")
    whole = run.raw("/logs")
    size = len(whole.content)

    def part(asked, **more):
        return run.raw("/logs", headers={"Range": asked, **more})

    for asked, first, last in (
        ("bytes=0-2", 0, 2),
        ("bytes=4-", 4, size - 1),
        ("bytes=5-9999", 5, size - 1),
        ("bytes=-6", size - 6, size - 1),
        ("bytes=-9999", 0, size - 1),
    ):
        answer = part(asked)
        assert answer.status_code == 206 and answer.content == whole.content[first : last + 1]
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    assert part("bytes=-6").text == "[cut]\n"
    assert whole.headers["Accept-Ranges"] == "bytes"
    for asked in ("bytes=2-1", "bytes=a-", "bytes=0-1,3-4", "lines=0-1", "bytes"):
        answer = part(asked)
        assert answer.status_code == 200 and answer.content == whole.content
    assert part("bytes=0-2", **{"If-Range": '"a"'}).status_code == 200
    beyond = part(f"bytes={size}-")
    assert beyond.status_code == 416 and beyond.json()["code"] == "range_not_satisfiable"
    assert beyond.headers["Content-Range"] == f"bytes */{size}"
    run.log(run.task(), "more\n")
    assert part(f"bytes={size}-").text.endswith("more\n")  # what has come since


def test_why_tells_what_is_missing(run):
    why = run.get("/why")

    classes = [r["class"] for r in why["reasons"]]
    assert classes == ["not_seen", "no_scheduler", "no_worker"]
    assert why["workers"]["total"] == 0 and why["queue_deadline"] > ""
    run.finish()
    assert run.get("/why")["text"] == "it is over: cases failed: so it was"


# reports ----------------------------------------------------------------------------------------


def fill(run):
    task = run.task()
    bad = {"message": f"message {NASTY.replace(chr(1), '')}", "trace": "line 1\n  <line 2>"}
    run.results(
        task,
        ("passed", "a"),
        ("failed", "b", bad),
        ("errored", "c", bad),
        ("skipped", "d", {"message": "later"}),
        ("blocked", "e"),
    )
    run.log(task, "some output\n")
    run.finish()


def test_the_junit_report_is_valid_and_counts_right(run):
    fill(run)

    answer = run.raw("/report?format=junit")
    suite = xml.etree.ElementTree.fromstring(answer.content).find("testsuite")

    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "1", "errors": "2", "skipped": "1"}
    assert suite.find("testcase[@name='b']/failure").text == "line 1\n  <line 2>"
    assert suite.find("testcase[@name='b']").get("classname") == "tests.a"
    assert "�[31m ✓ ]]>" in suite.find("testcase[@name='b']/failure").get("message")


def test_a_run_that_ended_without_failures_is_not_green_in_junit(run):
    run.results(run.task(), ("passed", "a"))
    run.finish("timed_out", "run_timeout")

    suite = xml.etree.ElementTree.fromstring(run.raw("/report?format=junit").content)[0]

    assert (suite.get("tests"), suite.get("errors")) == ("2", "1")
    assert suite.find("testcase[@name='run']/error").get("type") == "run_timeout"


def test_the_html_report_stands_alone_and_escapes(run):
    fill(run)

    answer = run.raw("/report?format=html")
    page = answer.text
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-(\w+)'", policy)[1]

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy
    assert set(re.findall(r'<(?:script|style)[^>]*nonce="(\w+)"', page)) == {nonce}
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "<b>&" not in page and "&lt;line 2&gt;" in page and "some output" in page
    assert page.index("Failures") < page.index("All results")
    data = json.loads(re.search(r'id="page-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    assert data["final"] is True and len(data["results"]) == 5
    assert data["results"][0][1] == "b"


def test_ten_thousand_results_are_reported(run):
    task = run.task()
    trace = {"message": "assert 1 == 2", "trace": "x" * 5000}
    for part in range(10):
        run.results(
            task,
            *[
                (
                    "failed" if i % 10 == 0 else "passed",
                    f"case-{part}-{i}",
                    trace if i % 10 == 0 else {},
                )
                for i in range(1000)
            ],
        )

    page = run.raw("/report?format=html").text
    document = run.raw("/report?format=json").json()
    junit = xml.etree.ElementTree.fromstring(run.raw("/report?format=junit").content)

    assert page.count('<details class="case c-failed"') == 1000
    assert len(page) < 12_000_000
    assert len(document["results"]) == 10000 and document["run"]["id"] == run.id
    assert len(junit[0].findall("testcase")) == 10000
    assert "results" not in run.raw("/report?format=json&results=none").json()


def test_markdown_has_failures_first_and_stays_below_a_mebibyte(run):
    task = run.task()
    trace = {"message": f"```</pre>\n\n# {NASTY[:-5]}".replace("\x01", ""), "trace": "x\n\n" * 2000}
    run.results(task, ("passed", "good"), ("errored", "broken"))
    run.results(task, *[("failed", f"case-{i}", trace) for i in range(300)])
    run.finish()

    answer = run.raw("/report?format=markdown")
    text = answer.text

    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert 900_000 < len(answer.content) < 1_000_000
    assert text.startswith(f"<h2>failed: Unit tests (run {run.number})</h2>\n<p>")
    assert text.count("<details>") == text.count("</details>") == text.count("<pre>")
    assert text.count("<pre>") == text.count("</pre>") < 300 and '<b>&"' not in text
    left = int(re.search(r"(\d+) more failed", text)[1])
    assert left + text.count("<details>") == 301
    link = re.search(r"\[All results\]\(<(.*)>\)\n$", text)[1]
    assert anonymous(run, link).status_code == 200
    reader = run.verdict.api.post("/v1/tokens", {"name": "r", "scopes": ["runs:read"]})
    read = run.verdict.api.with_token(reader["token"]).get(
        f"/v1/runs/{run.id}/report?format=markdown"
    )
    assert "/v1/shared/" not in read


def test_ctrf_counts_right_and_is_not_green_when_the_run_is_not(run):
    fill(run)

    results = run.raw("/report?format=ctrf").json()["results"]
    counts = {n: results["summary"][n] for n in ("tests", "passed", "failed", "skipped", "pending")}

    assert counts == {"tests": 5, "passed": 1, "failed": 3, "skipped": 1, "pending": 0}
    assert results["tool"]["name"] == "verdict"
    assert results["summary"]["stop"] >= results["summary"]["start"] > 1_600_000_000_000
    test = next(t for t in results["tests"] if t["name"] == "e")
    assert (test["status"], test["rawStatus"], test["suite"]) == ("failed", "blocked", "tests.a")
    run.db.query("DELETE FROM results.result WHERE status NOT IN ('passed')")
    results = run.raw("/report?format=ctrf").json()["results"]
    assert (results["summary"]["failed"], results["tests"][0]["suite"]) == (1, "verdict")


def conforms(schema, value, path="$"):
    """The part of JSON Schema that ours is written in; an object has just the members it names."""
    kinds = {"string": str, "integer": int, "object": dict, "array": list, "boolean": bool}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if value is None:
        assert "null" in types, path
        return
    assert isinstance(value, tuple(kinds[t] for t in types if t != "null")), (path, value)
    assert value in schema.get("enum", [value]), (path, value)
    assert "pattern" not in schema or re.search(schema["pattern"], value), (path, value)
    if "properties" in schema:
        assert set(value) == set(schema["properties"]), path
        for name, member in schema["properties"].items():
            conforms(member, value[name], f"{path}.{name}")
    for index, item in enumerate(value if "items" in schema else []):
        conforms(schema["items"], item, f"{path}[{index}]")


def test_the_json_report_is_what_its_published_schema_says(run):
    schema = json.loads((TOP / "docs" / "schemas" / "report.schema.json").read_text())
    fill(run)

    conforms(schema, run.raw("/report?format=json").json())


def test_fifty_thousand_results_open_in_a_browser_and_are_searched_there(run, tmp_path):
    task = run.task()
    run.db.query(
        """INSERT INTO results.result (run_id, case_key, task_id, attempt, dispatch_id, seq, status,
             file, class, name, message)
           SELECT %s, decode(md5(i::text), 'hex'), %s, 1, %s, i,
             CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'passed' END, 'tests/a.py', 'tests.a',
             'case-' || i, CASE WHEN i % 100 = 0 THEN 'assert 1 == 2' END
           FROM generate_series(1, 50000) i""".replace("%", "%%").replace("%%s", "%s"),
        run.id,
        task,
        task,
    )
    run.finish()
    page = tmp_path / "report.html"
    page.write_bytes(run.raw("/report?format=html").content)

    def opened(search):
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        options = [
            f"--user-data-dir={tmp_path / 'profile'}",
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ]
        url = f"file://{page}#{search}"
        return subprocess.run(
            [*command, *options, url], capture_output=True, text=True, timeout=60, check=True
        ).stdout

    assert page.stat().st_size < 5_000_000
    if not shutil.which("chromium"):
        pytest.skip("no chromium: the page's size alone was looked at")
    found = opened("case-4%20tests.a")
    assert "11111 of 50000 results, the first" in found and found.count("<tr>") < 1500


class Kept(http.server.BaseHTTPRequestHandler):
    """A page that may not ask for more."""

    def do_GET(self):  # noqa: N802
        self.server.asked.append(self.path)
        is_page = "?" not in self.path
        self.send_response(200 if is_page else 204 if "/events" in self.path else 401)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        if is_page:
            self.wfile.write(self.server.page)

    def log_message(self, *_):
        pass


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium")
def test_a_page_that_may_not_ask_is_silent_and_one_that_is_hidden_holds_no_stream(run, tmp_path):
    tell(run, 1, "run.queued", "queued")
    page = run.raw("/report?format=html").content
    hidden = b"<head><script>Object.defineProperty(document, 'hidden', {value: true})</script>"

    def shown(page):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Kept) as server:
            server.page, server.asked = page, []
            threading.Thread(target=server.serve_forever, daemon=True).start()
            command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
            options = [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=4000"]
            url = f"http://127.0.0.1:{server.server_port}/v1/shared/a"
            text = subprocess.run(
                [*command, *options, url], capture_output=True, text=True, timeout=60, check=True
            ).stdout
            server.shutdown()
            return text, [path.partition("?")[0] for path in server.asked if "favicon" not in path]

    open_text, open_asked = shown(page)
    hidden_text, hidden_asked = shown(page.replace(b"<head>", hidden, 1))

    assert "/v1/shared/a/events" in open_asked and open_asked.count("/v1/shared/a") == 2
    assert set(hidden_asked) == {"/v1/shared/a"}
    assert "does not answer" not in re.sub(r"<script.*?</script>", "", open_text, flags=re.DOTALL)
    assert 'id="page-data"' in hidden_text


def test_a_bad_format_is_named(run):
    assert run.get("/report?format=pdf", expect=400)["errors"][0]["field"] == "format"


# links ------------------------------------------------------------------------------------------


def test_a_shared_link_opens_the_report_for_whoever_holds_it(run):
    made = run.verdict.api.post(f"/v1/runs/{run.id}/share", {"expires_in": "2d"}, expect=201)

    html = anonymous(run, made["url"])
    data = anonymous(run, made["url"] + "?format=json")
    triggered = anonymous(run, run.links["html"])

    assert html.status_code == data.status_code == triggered.status_code == 200
    assert f"run {run.number}" in html.text
    assert data.json()["run"]["id"] == run.id
    assert run.db.value("SELECT count(*) FROM api.audit WHERE action = 'run.share'") == 1


def test_a_link_that_was_changed_or_is_over_opens_nothing(run):
    short = run.verdict.api.post(f"/v1/runs/{run.id}/share", {"expires_in": "1s"})["url"]
    link = run.links["html"]
    flipped = link[:-5] + ("A" if link[-5] != "A" else "B") + link[-4:]

    def over():
        answer = anonymous(run, short)
        return [answer] if answer.status_code != 200 else None

    assert wait_until(over, 5, "the link to expire")[0].status_code == 410
    assert anonymous(run, flipped).status_code == 404
    assert anonymous(run, link[:-1]).status_code == 404
    api = run.verdict.api
    bad = api.post(f"/v1/runs/{run.id}/share", {"expires_in": "400d"}, expect=400)
    assert bad["errors"][0]["field"] == "expires_in"


# the page of a run that goes on -------------------------------------------------------------------


def tell(run, version, kind, state="running"):
    """What the scheduler would write."""
    run.db.query(
        """INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state, version,
             priority, wait_class, wait_text, wait_since, run_deadline, finished_at)
           SELECT id, project_id, pool_id, 0, %s, %s, 50, 'tests', 'tests are running', now(),
             now() + interval '1 hour', CASE WHEN %s = 'run.finished' THEN now() END
           FROM api.run WHERE id = %s
           ON CONFLICT (run_id) DO UPDATE SET state = excluded.state, version = excluded.version,
             finished_at = excluded.finished_at""",
        *(state, version, kind, run.id),
    )
    run.db.query(
        """INSERT INTO scheduling.run_event (run_id, version, id, project_id, type, data)
           SELECT id, %s, gen_random_uuid(), project_id, %s, '{}' FROM api.run WHERE id = %s""",
        *(version, kind, run.id),
    )


def listen(run, url, **options):
    """The answer, and (id, event) of each event until the server ends the stream."""
    api = run.verdict.api.with_token(None)
    path = url.removeprefix(run.verdict.api_url) + "/events"
    answer = api.request("GET", path, stream=True, timeout=60, **options)

    def events():
        number = None
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            name, _, value = line.partition(": ")
            if name == "id":
                number = int(value)
            elif name == "event":
                yield number, value

    return answer, events()


def test_a_link_opens_the_events_of_its_run_until_the_last(run):
    url = run.links["html"]
    tell(run, 1, "run.queued", "queued")

    answer, events = listen(run, url)
    seen = [next(events)]
    tell(run, 2, "run.started")
    tell(run, 3, "run.finished", "passed")
    seen += list(events)

    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Cache-Control"] == "no-store"
    assert seen == [(1, "run.queued"), (2, "run.started"), (3, "run.finished")]
    resumed = list(listen(run, url, headers={"Last-Event-ID": "1"})[1])
    assert resumed == seen[1:]
    assert listen(run, url, headers={"Last-Event-ID": "3"})[0].status_code == 204
    assert listen(run, url[:-1])[0].status_code == 404
    assert '"version":3,' in anonymous(run, url).text


def test_a_stream_ends_with_its_link_however_often_others_look_at_the_run(run):
    tell(run, 1, "run.queued", "queued")
    short = run.verdict.api.post(f"/v1/runs/{run.id}/share", {"expires_in": "6s"})["url"]
    stop = threading.Event()

    def poll():
        while not stop.is_set():
            run.verdict.api.request("GET", f"/v1/runs/{run.id}?wait=500ms", timeout=60)

    others = threading.Thread(target=poll)
    others.start()

    answer, events = listen(run, short)
    reader = threading.Thread(target=list, args=(events,), daemon=True)
    reader.start()
    reader.join(60)
    stop.set()
    others.join()

    assert not reader.is_alive() and answer.status_code in (200, 410)
    assert listen(run, short)[0].status_code == 410


def test_links_have_seats_of_their_own_which_are_given_back(run):
    tell(run, 1, "run.queued", "queued")
    url = run.links["html"]
    versions = itertools.count(2)
    for _ in range(500):
        ask_and_reset(run.verdict.api_port, url.removeprefix(run.verdict.api_url) + "/events")

    opened = take_all(
        200, lambda: listen(run, url)[0], lambda: tell(run, next(versions), "run.started")
    )
    refused, _ = listen(run, url)
    by_token = run.raw("/events", stream=True)

    assert (refused.status_code, by_token.status_code) == (429, 200)
    assert "Retry-After" in refused.headers
    for answer in opened:
        answer.close()
    tell(run, next(versions), "run.started")
    wait_until(lambda: listen(run, url)[0].status_code == 200, 60, "a seat")


def test_another_projects_parts_are_not_there(run):
    api = run.verdict.api
    api.put("/v1/projects/bank", {"title": "Bank"}, expect=201)
    token = api.post("/v1/tokens", {"name": "t", "scopes": ["runs:write"], "project": "bank"})
    other = api.with_token(token["token"])

    for part in ("results", "tasks", "logs", "why", "report", "events"):
        other.get(f"/v1/runs/{run.id}/{part}", expect=404)
    other.post(f"/v1/runs/{run.id}/share", expect=404)

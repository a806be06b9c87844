# SPDX-License-Identifier: Apache-2.0
"""The stores of files: a directory, and a bucket of a server that checks every signature."""

import hashlib
import os
import subprocess

import pytest
from support import TOP
from support.s3 import BUCKET, make_s3

PROBE = TOP / "build" / "probe" / "blob_probe"


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    server = make_s3(tmp_path_factory.mktemp("s3"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(params=["directory", "s3"])
def settings(request, tmp_path):
    if request.param == "s3":
        return request.getfixturevalue("s3").settings
    return {"VERDICT_BLOB_URL": f"file://{tmp_path}/files"}


def probe(settings, *words):
    return subprocess.run([PROBE, *words], env=settings, capture_output=True, timeout=30)


def write(path, content):
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("content", [b"", b"a line\n", os.urandom(3_000_000)], ids=len)
def test_what_is_put_comes_back_byte_for_byte(settings, tmp_path, content):
    name = write(tmp_path / "one", content)

    put = probe(settings, "put", tmp_path / "one", tmp_path / "one")
    got = probe(settings, "get", name)

    assert (put.stderr, put.stdout.decode().split()) == (b"", [name, name])
    assert (got.stderr, got.stdout) == (b"", content)


def test_what_was_removed_is_not_found_and_is_removed_again(settings, tmp_path):
    name = write(tmp_path / "one", b"to be removed")
    probe(settings, "put", tmp_path / "one")

    removed = probe(settings, "remove", name, name)
    got = probe(settings, "get", name)

    assert (removed.returncode, removed.stderr) == (0, b"")
    assert (got.returncode, got.stderr.split(b":")[0]) == (1, b"not_found")


def test_a_wrong_key_is_refused_by_the_server(s3, tmp_path):
    write(tmp_path / "one", b"secret")

    put = probe({**s3.settings, "VERDICT_BLOB_SECRET": "wrong"}, "put", tmp_path / "one")

    assert put.stderr == b"unavailable: the store of files answers 403 SignatureDoesNotMatch\n"


def test_a_server_or_a_bucket_that_is_away_is_said(s3, tmp_path):
    write(tmp_path / "one", b"content")
    url = s3.settings["VERDICT_BLOB_URL"]

    away = {**s3.settings, "VERDICT_BLOB_URL": "s3+http://127.0.0.1:1/bucket"}
    other = {**s3.settings, "VERDICT_BLOB_URL": url.replace(BUCKET, "another-bucket")}

    assert (
        b"unavailable: the store of files cannot be" in probe(away, "put", tmp_path / "one").stderr
    )
    assert b"404 NoSuchBucket" in probe(other, "put", tmp_path / "one").stderr


def test_a_directory_holds_whole_files_alone(tmp_path):
    name = write(tmp_path / "one", b"content")
    settings = {"VERDICT_BLOB_URL": f"file://{tmp_path}/files"}

    probe(settings, "put", tmp_path / "one")

    files = [p.relative_to(tmp_path / "files") for p in (tmp_path / "files").rglob("*")]
    assert sorted(map(str, files)) == sorted([name[:2], f"{name[:2]}/{name}", "unfinished"])


@pytest.mark.parametrize("url", ["ftp://host/bucket", "file://relative", "s3+http://host", "/dir"])
def test_a_url_that_is_none_is_refused(url):
    assert probe({"VERDICT_BLOB_URL": url}, "get", "0" * 64).stderr.startswith(b"invalid: ")


def test_without_a_store_nothing_is_kept():
    assert probe({}, "get", "0" * 64).stderr.startswith(b"conflict: ")

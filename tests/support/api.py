# SPDX-License-Identifier: Apache-2.0
"""A small HTTP client for the API: JSON in, JSON out, and the answer in the message when it is not
the expected one. All that it sees is held against the OpenAPI document."""

import requests

from . import contract


class Api:
    def __init__(self, url, token=None, timeout_s=40):
        self.url = url
        self.timeout_s = timeout_s
        self.session = requests.Session()
        self.session.trust_env = False  # no proxies: everything is on this machine
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def with_token(self, token):
        return Api(self.url, token, self.timeout_s)

    def request(self, method, path, **options):
        """The raw answer, whatever it is."""
        options.setdefault("timeout", self.timeout_s)
        answer = self.session.request(method, self.url + path, **options)
        contract.check(answer, has_body=not options.get("stream"))
        return answer

    def call(self, method, path, body=None, expect=None, **options):
        """The decoded body of an answer that must have the status `expect` (default: any 2xx)."""
        if body is not None:
            options["json"] = body
        answer = self.request(method, path, **options)
        right = answer.ok if expect is None else answer.status_code == expect
        assert right, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.json() if is_json and answer.content else answer.text

    def get(self, path, expect=None, **options):
        return self.call("GET", path, None, expect, **options)

    def post(self, path, body=None, expect=None, **options):
        return self.call("POST", path, body, expect, **options)

    def put(self, path, body=None, expect=None, **options):
        return self.call("PUT", path, body, expect, **options)

    def patch(self, path, body=None, expect=None, **options):
        return self.call("PATCH", path, body, expect, **options)

    def delete(self, path, expect=None, **options):
        return self.call("DELETE", path, None, expect, **options)

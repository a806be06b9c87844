# SPDX-License-Identifier: Apache-2.0
"""Trigger to first test process: from the client's first byte to the test program's first act.

One client on one keep-alive connection triggers one run at a time on an idle installation with the
settings of the field (fsync on, default times), waits for its end, and a random moment longer. The
suite's command is build/bench/stamp, which writes the time at which it runs. Everybody's clock is
CLOCK_MONOTONIC of this machine. First without debug logs for the figures; then fewer samples with
them, for the time of each hop.
"""

import argparse
import json
import pathlib
import random
import shutil
import socket
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import TOP  # noqa: E402
from support.servers import Servers  # noqa: E402
from support.verdict import Verdict  # noqa: E402

WARM_UP = 50
MOST_GAP_S = 0.02
STAMP = TOP / "build" / "bench" / "stamp"

# In the order in which they happen.
HOPS = ["run accepted", "run dispatched", "dispatch received", "test process runs"]
HOP_TEXTS = {
    "run accepted": "request read, authenticated, committed",
    "run dispatched": "Kafka, the scheduler, the choice of a worker, commit",
    "dispatch received": "Kafka, the executor",
    "test process runs": "its working directory, fork, exec",
}


def now_us():
    return time.monotonic_ns() // 1000


class Client:
    """HTTP/1.1 on one connection: the request is ready before the clock is read."""

    def __init__(self, verdict):
        self.token = verdict.admin_token.read_text().strip()
        self.socket = socket.create_connection(("127.0.0.1", verdict.api_port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def call(self, method, path, body=None):
        """(time of the first byte, decoded answer)"""
        payload = json.dumps(body).encode() if body is not None else b""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
        )
        message = head.encode() + payload
        sent_us = now_us()
        self.socket.sendall(message)
        return sent_us, self._answer(method, path)

    def _answer(self, method, path):
        status = int(self.reader.readline().split()[1])
        length = 0
        while (line := self.reader.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        text = self.reader.read(length)
        if status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {status} {text.decode(errors='replace')}")
        return json.loads(text)

    def close(self):
        self.reader.close()
        self.socket.close()


class Stamps:
    """What the test programs wrote: the time at which each run's process began."""

    def __init__(self, folder):
        self.path = folder / "stamps"

    def read(self):
        lines = self.path.read_text().splitlines()
        return {run: int(time_us) for run, time_us in (line.split() for line in lines)}


def make_suite(verdict, source, stamps):
    spec = {
        "framework": "command",
        "source": {"kind": "path", "path": str(source)},
        "command": [str(STAMP), str(stamps.path)],
        "report": {"format": "none"},
    }
    verdict.api.put("/v1/projects/bench", {"title": "Bench"})
    verdict.api.put("/v1/projects/bench/suites/stamp", spec)


def sample(client, count, chance):
    """{run: when its first byte was sent}"""
    sent = {}
    for _ in range(count):
        sent_us, run = client.call("POST", "/v1/runs", {"project": "bench", "suite": "stamp"})
        sent[run["id"]] = sent_us
        while (run := client.call("GET", f"/v1/runs/{run['id']}?wait=10s")[1])["state"] != "passed":
            if run["state"] not in ("queued", "running"):
                raise RuntimeError(f"run {run['id']} is {run['state']}: {run['reason_text']}")
        time.sleep(chance.uniform(0, MOST_GAP_S))
    return sent


def read_hops(verdict):
    """{message: {run: µs}} from the debug lines of all services."""
    found = {}
    for service in verdict.services.values():
        for line in service.log_path.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry.get("message") in HOPS and "monotonic_us" in entry:
                found.setdefault(entry["message"], {})[entry["run_id"]] = entry["monotonic_us"]
    return found


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summary(values):
    return {
        "samples": len(values),
        "min_ms": min(values) / 1000,
        **{f"p{name}_ms": percentile(values, share) / 1000 for name, share in SHARES},
        "max_ms": max(values) / 1000,
    }


SHARES = [("50", 0.5), ("90", 0.9), ("99", 0.99), ("99.9", 0.999)]


def start(verdict, **settings):
    for name in ["api-ingest", "scheduler", "result-collector", "notifier", "executor-1"]:
        verdict.start(name, wait=False, **settings)
    for service in verdict.services.values():
        service.wait_ready()


def measure_whole(verdict, stamps, count, chance):
    """Summary of the times from first byte to test process."""
    client = Client(verdict)
    sample(client, WARM_UP, chance)
    sent = sample(client, count, chance)
    client.close()
    began = stamps.read()
    return summary([began[run] - sent_us for run, sent_us in sent.items()])


def measure_hops(verdict, stamps, count, chance):
    """{hop: summary} of the times between one hop and the next, with debug logs."""
    client = Client(verdict)
    sample(client, WARM_UP, chance)
    sent = sample(client, count, chance)
    client.close()
    hops = {**read_hops(verdict), "test process runs": stamps.read()}
    result = {}
    before = sent
    for hop in HOPS:
        times = hops.get(hop, {})
        known = [run for run in sent if run in times and run in before]
        if len(known) < count * 0.99:
            raise RuntimeError(f"only {len(known)} of {count} runs have a line '{hop}'")
        result[hop] = summary([times[run] - before[run] for run in known])
        before = times
    result["in all"] = summary([before[run] - sent[run] for run in known])
    return result


def measure(samples=2000, hop_samples=500, seed=1):
    chance = random.Random(seed)
    (TOP / "build" / "bench").mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=TOP / "build" / "bench"))
    servers = Servers(folder / "servers", postgres_settings={})
    verdict = None
    try:
        servers.start()
        verdict = Verdict(folder / "verdict", servers, times={})
        source = folder / "source"
        source.mkdir()
        stamps = Stamps(folder)
        start(verdict)
        make_suite(verdict, source, stamps)
        whole = measure_whole(verdict, stamps, samples, chance)
        for name in verdict.services:
            verdict.stop(name)
        start(verdict, VERDICT_LOG_LEVEL="debug")
        return {"whole": whole, "hops": measure_hops(verdict, stamps, hop_samples, chance)}
    except BaseException:
        if verdict is not None:
            for name, text in verdict.logs(15).items():
                print(f"--- {name}\n{text}", file=sys.stderr)
        raise
    finally:
        if verdict is not None:
            verdict.close()
        servers.remove()
        shutil.rmtree(folder, ignore_errors=True)


def print_row(name, numbers, text=""):
    keys = ["min_ms", *(f"p{share}_ms" for share, _ in SHARES), "max_ms"]
    columns = "".join(f"{numbers[key]:9.2f}" for key in keys)
    print(f"  {name:<20}{columns}   {text}".rstrip())


def report(result):
    whole = result["whole"]
    heads = "".join(f"{'p' + share:>9}" for share, _ in SHARES)
    print(f"trigger → first test process, {whole['samples']} samples, idle, fsync on; milliseconds")
    print(f"  {'':<20}{'min':>9}{heads}{'max':>9}")
    print_row("first byte → exec", whole)
    print(f"by hop, {result['hops']['in all']['samples']} samples, with debug logs")
    for hop, numbers in result["hops"].items():
        print_row(hop, numbers, HOP_TEXTS.get(hop, ""))


def main():
    parser = argparse.ArgumentParser(description="Trigger to first test process")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--hop-samples", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="also write the figures to this file")
    arguments = parser.parse_args()
    result = measure(arguments.samples, arguments.hop_samples, arguments.seed)
    report(result)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()

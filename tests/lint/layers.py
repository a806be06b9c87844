#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom. Nothing points against the layers, services know nothing of each other, and
each library that talks to the outside is included by one part only."""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]

# base ← model ← message ← bus, store ← ledger ← service; the others stand beside them.
BELOW = {
    "base": "",
    "model": "base",
    "message": "base model",
    "log": "base model",
    "metrics": "base model",
    "settings": "base model",
    "http": "base model",
    "auth": "base model",
    "trace": "base model log metrics http",
    "blob": "base model http",
    "report": "base model",
    "bundle": "base model",
    "bus": "base model message log metrics settings auth",
    "store": "base model message log metrics settings",
    "ledger": "base model message log metrics settings auth bus store",
    "service": "base model message log metrics settings auth http trace bus store ledger",
}

# header → who may include it; "" is the whole tree.
OUTSIDE = {
    "libpq-fe.h": ["libshared/store/"],
    "librdkafka/": ["libshared/bus/"],
    "microhttpd.h": ["libshared/http/", "libshared/service/", "services/api-ingest/"],
    "hiredis/": ["services/api-ingest/", "commands/verdict-admin/doctor.c"],
}

# Decisions without I/O: they include nothing but what is computed from.
PURE = {
    "services/executor/agent/exclusive.c",
    "services/scheduler/plan.c",
    "services/scheduler/match.c",
    "services/scheduler/close.c",
    "services/scheduler/lease.c",
    "services/scheduler/demand.c",
    "services/api-ingest/runs/why.c",
    "services/notifier/outcome.c",
    "services/notifier/payload.c",
    "services/notifier/schedule.c",
    "services/result-collector/item.c",
    "services/result-collector/month.c",
    "services/result-collector/stream.c",
    "services/result-collector/totals.c",
}
IO = re.compile(r"^(bus|store|ledger|service|http|log)/|^(curl|sys/socket|unistd|fcntl|poll)\b")

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def includes(path):
    for ours, theirs in INCLUDE.findall(path.read_text()):
        yield ours or theirs, bool(ours)


def faults_of(path):
    name = path.relative_to(TOP).as_posix()
    root, part, *_ = name.split("/")
    for header, is_ours in includes(path):
        target = header.split("/")[0]
        if is_ours and root == "libshared" and "/" in header:
            allowed = [part, *BELOW.get(part, "").split()]
            if target not in allowed:
                yield f"{name} includes {header}: {part} may see only {', '.join(allowed)}"
        if root in ("services", "commands") and re.match(r"(\.\./|services/|commands/)", header):
            yield f"{name} includes {header}: a process may see only itself and libshared"
        for outside, owners in OUTSIDE.items():
            if header.startswith(outside) and not name.startswith(tuple(owners)):
                yield f"{name} includes {header}: only {', '.join(owners)} may"
        if (name in PURE or part == "model") and IO.match(header):
            yield f"{name} includes {header}: it decides, and does no I/O"


def main():
    sources = [
        p for root in ("libshared", "services", "commands") for p in TOP.glob(f"{root}/**/*.[ch]")
    ]
    unknown = {p.name for p in (TOP / "libshared").iterdir() if p.is_dir()} - set(BELOW)
    faults = [f"libshared/{part} has no place among the layers: say so here" for part in unknown]
    faults += [
        f"{name} is not there: who decides now?"
        for name in sorted(PURE)
        if not (TOP / name).exists()
    ]
    faults += [fault for path in sorted(sources) for fault in faults_of(path)]
    print("\n".join(faults) or f"{len(sources)} files point the right way")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

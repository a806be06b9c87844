// SPDX-License-Identifier: Apache-2.0
// What a reporter says to the executor: one JSON object a line into the file that VERDICT_STREAM names. Where
// VERDICT_CASES names a file, it lists the cases that are wanted, one a line.
"use strict";

const fs = require("node:fs");
const { stripVTControlCharacters } = require("node:util");

const TRACE_BYTES = 60_000;
const MESSAGE_BYTES = 4_000;

class VerdictStream {
  constructor() {
    const { VERDICT_STREAM: stream, VERDICT_CASES: cases } = process.env;
    this.fd = stream ? fs.openSync(stream, "a") : null;
    this.wanted = cases ? new Set(fs.readFileSync(cases, "utf8").split("\n")) : null;
  }

  say(line) {
    if (this.fd !== null) fs.writeSync(this.fd, `${JSON.stringify(line)}\n`);
  }

  planned(count) {
    this.say({ kind: "planned", count });
  }

  // What is left out by a selection is skipped as well: of these only what is wanted is told.
  tell(id, status, { durationMs, startedAt, message, trace } = {}) {
    if (status === "skipped" && this.wanted && !this.wanted.has(id)) return;
    const line = { kind: "case", id, status, duration_ms: Math.round(durationMs || 0) };
    if (startedAt) line.started_at = Math.round(startedAt);
    if (message) line.message = cut(plain(message), MESSAGE_BYTES);
    if (trace) line.trace = cut(plain(trace), TRACE_BYTES);
    this.say(line);
  }

  // A file that could not be loaded is a case of its own; where that one is wanted and the file can be, it passed.
  tellLoaded(id) {
    if (this.wanted && this.wanted.has(id)) this.tell(id, "passed");
  }

  end() {
    this.say({ kind: "end" });
  }
}

function plain(text) {
  const clean = stripVTControlCharacters(String(text));
  return clean.toWellFormed ? clean.toWellFormed() : clean; // Node 20 or newer has it
}

function firstLine(text) {
  return plain(text ?? "")
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "");
}

function cut(text, limit) {
  const raw = Buffer.from(text.replaceAll("\0", "\ufffd"), "utf8");
  if (raw.length <= limit) return raw.toString("utf8");
  let end = limit;
  while (end > 0 && (raw[end] & 0xc0) === 0x80) end--;
  return `${raw.toString("utf8", 0, end)}\n[cut]`;
}

module.exports = { VerdictStream, firstLine, plain };

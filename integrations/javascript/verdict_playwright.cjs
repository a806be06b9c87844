// SPDX-License-Identifier: Apache-2.0
// Playwright Test's reporter: tells each case as its last try finishes, as a test list (--test-list) names it.
"use strict";

const path = require("node:path");
const { VerdictStream, firstLine } = require("./verdict_stream.cjs");

const BETWEEN = " \u203a ";

class VerdictPlaywright {
  constructor() {
    this.stream = new VerdictStream();
    this.broken = new Set();
    this.held = new Map(); // of tests that may be run again: what the last try of them came to
  }

  printsToStdio() {
    return false;
  }

  onBegin(config, suite) {
    this.root = config.rootDir;
    this.tests = suite.allTests();
    this.stream.planned(this.tests.length);
  }

  // A test that did not run is not told, as it is planned: what an earlier try of it came to holds.
  onTestEnd(test, result) {
    if (didNotRun(test, result)) return;
    this.held.delete(test);
    if (result.status === "interrupted") return; // nobody knows
    if (isLast(test, result)) this.tell(test, result);
    else this.held.set(test, result);
  }

  tell(test, result) {
    const isGood = result.status === test.expectedStatus;
    this.stream.tell(caseOf(test), statusOf(result, isGood), {
      durationMs: result.duration,
      startedAt: result.startTime.getTime(),
      ...wordsOf(test, result, isGood),
    });
  }

  // Of no test: a file that cannot be loaded, or what went wrong around the tests.
  onError(error) {
    const file = error.location && path.relative(this.root ?? process.cwd(), error.location.file);
    this.broken.add(file);
    this.stream.tell(file ?? "(errors)", "errored", {
      message: firstLine(error.message ?? error.value),
      trace: [error.stack ?? error.message ?? error.value, error.snippet].filter(Boolean).join("\n\n"),
    });
  }

  onEnd() {
    for (const [test, result] of this.held) this.tell(test, result);
    const files = new Set((this.tests ?? []).map((test) => test.titlePath()[2]));
    for (const file of files) if (!this.broken.has(file)) this.stream.tellLoaded(file);
    this.stream.end();
  }
}

function caseOf(test) {
  const [, project, ...titles] = test.titlePath();
  return (project ? [`[${project}]`, ...titles] : titles).join(BETWEEN);
}

// The rest of a group in serial mode behind a failure, or of one whose beforeAll failed: nobody asked to skip it.
function didNotRun(test, result) {
  return result.status === "skipped" && test.expectedStatus !== "skipped";
}

// A group in serial mode is tried again as a whole, with those of it that were good. No public member says the mode.
function isLast(test, result) {
  if (result.retry >= test.retries) return true;
  if (result.status !== test.expectedStatus) return false;
  for (let suite = test.parent; suite; suite = suite.parent)
    if ((suite._parallelMode ?? "serial") === "serial") return false;
  return true;
}

function statusOf(result, isGood) {
  if (result.status === "skipped") return "skipped";
  return isGood ? "passed" : "failed";
}

function wordsOf(test, result, isGood) {
  const note = test.annotations.find((one) => ["skip", "fixme"].includes(one.type))?.description;
  if (result.status === "skipped") return { message: note };
  if (isGood) return {};
  if (result.errors.length === 0)
    return { message: result.status === "passed" ? "it was expected to fail, and passed" : result.status };
  return {
    message: firstLine(result.errors[0].message ?? result.errors[0].value),
    trace: result.errors
      .map((error) => [error.stack ?? error.message ?? error.value, error.snippet].filter(Boolean).join("\n\n"))
      .join("\n\n"),
  };
}

module.exports = VerdictPlaywright;

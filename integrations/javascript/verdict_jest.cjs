// SPDX-License-Identifier: Apache-2.0
// Jest's reporter (27 or newer): tells each case as it passes, and the others at their file's end, since
// only then it is known that none of them is tried again; as "file > group > test".
"use strict";

const path = require("node:path");
const { VerdictStream, firstLine } = require("./verdict_stream.cjs");

const STATUS = { passed: "passed", failed: "failed" }; // all else is skipped

class VerdictJest {
  constructor() {
    this.stream = new VerdictStream();
    this.told = new Map(); // how many passed cases of an id, by file
  }

  onTestCaseResult(test, result) {
    if (result.status !== "passed") return; // of skipped ones those that are selected are known at the end, too
    const told = this.toldOf(test);
    const id = caseOf(test, result);
    told.set(id, (told.get(id) ?? 0) + 1);
    this.tell(id, result);
  }

  // Also what was not told one by one, as older runners do not.
  onTestResult(test, result) {
    const told = this.toldOf(test);
    for (const one of result.testResults) {
      const id = caseOf(test, one);
      const left = one.status === "passed" ? told.get(id) ?? 0 : 0;
      if (left > 0) told.set(id, left - 1);
      else this.tell(id, one);
    }
    this.told.delete(fileOf(test));
    this.tellFile(test, result);
  }

  tellFile(test, result) {
    const isBroken = result.testExecError || (result.testResults.length === 0 && result.failureMessage);
    if (!isBroken) {
      this.stream.tellLoaded(fileOf(test));
      return;
    }
    const why = result.testExecError?.message ?? result.failureMessage;
    this.stream.tell(fileOf(test), "errored", {
      message: firstLine(why),
      trace: result.testExecError?.stack ?? result.failureMessage,
    });
  }

  onRunComplete() {
    this.stream.end();
  }

  toldOf(test) {
    const file = fileOf(test);
    if (!this.told.has(file)) this.told.set(file, new Map());
    return this.told.get(file);
  }

  tell(id, result) {
    const trace = (result.failureMessages ?? []).join("\n\n");
    this.stream.tell(id, STATUS[result.status] ?? "skipped", {
      durationMs: result.duration,
      startedAt: result.startedAt,
      message: firstLine(trace),
      trace,
    });
  }
}

function fileOf(test) {
  const name = test.context.config.displayName?.name;
  const file = path.relative(process.cwd(), test.path);
  return name ? `[${name}] ${file}` : file;
}

function caseOf(test, result) {
  return [fileOf(test), ...result.ancestorTitles, result.title].join(" > ");
}

module.exports = VerdictJest;

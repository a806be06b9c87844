// SPDX-License-Identifier: Apache-2.0
// Jest's reporter (27 or newer): tells each case as it finishes, as "file > group > test".
"use strict";

const path = require("node:path");
const { VerdictStream, firstLine } = require("./verdict_stream.cjs");

const STATUS = { passed: "passed", failed: "failed" }; // all else is skipped

class VerdictJest {
  constructor() {
    this.stream = new VerdictStream();
    this.told = new Map(); // how many cases of an id, by file
  }

  onTestCaseResult(test, result) {
    if (!STATUS[result.status]) return; // at the file's end, where selected ones are known apart
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
      const left = told.get(id) ?? 0;
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

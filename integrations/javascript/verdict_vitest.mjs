// SPDX-License-Identifier: Apache-2.0
// Vitest's reporter (3 or newer): tells each case as it finishes, as `vitest list` names it.
import path from "node:path";
import stream from "./verdict_stream.cjs";

const { VerdictStream, firstLine } = stream;

const ENDINGS = new Set(["passed", "failed", "skipped"]);

export default class VerdictVitest {
  onInit(vitest) {
    this.root = vitest.config.root;
    this.stream = new VerdictStream();
    this.ended = new Set();
  }

  onTestCaseResult(test) {
    const { state, errors = [], note } = test.result();
    if (!ENDINGS.has(state)) return; // with --bail: it did not run
    const { duration, startTime } = test.diagnostic() ?? {};
    this.stream.tell(`${this.fileOf(test.module)} > ${test.fullName}`, state, {
      durationMs: duration,
      startedAt: startTime,
      message: messageOf(errors) ?? note,
      trace: traceOf(errors),
    });
  }

  // What went wrong around a group's tests is a case of the group. In brackets, as it is no test: so nobody asks
  // for it alone, which would run no test of the group.
  onTestSuiteResult(suite) {
    if (suite.errors().length > 0)
      this.tellErrors(`${this.fileOf(suite.module)} > ${suite.fullName} > (group)`, suite.errors());
  }

  onTestModuleEnd(module) {
    this.ended.add(module);
    if (module.errors().length > 0) this.tellErrors(this.fileOf(module), module.errors());
    else this.stream.tellLoaded(this.fileOf(module));
  }

  onTestRunEnd(modules, errors) {
    // Vitest 3 tells no end of a file that could not be loaded.
    for (const module of modules) if (!this.ended.has(module)) this.onTestModuleEnd(module);
    if (errors.length > 0) this.tellErrors("(unhandled errors)", errors);
    this.stream.end();
  }

  tellErrors(id, errors) {
    this.stream.tell(id, "errored", { message: messageOf(errors), trace: traceOf(errors) });
  }

  fileOf(module) {
    const file = path.relative(this.root, module.moduleId);
    return module.project.name ? `[${module.project.name}] ${file}` : file;
  }
}

function messageOf(errors) {
  return errors.length > 0 ? firstLine(errors[0].message) : undefined;
}

function traceOf(errors) {
  return errors.map((error) => [error.stack ?? error.message, error.diff].filter(Boolean).join("\n\n")).join("\n\n");
}

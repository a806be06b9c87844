// SPDX-License-Identifier: Apache-2.0
// graphile-worker: from adding a job to its start, one at a time, by LISTEN and NOTIFY. Prints p50 and p99.
//
//   NODE_PATH=… node graphile.cjs POSTGRES-URL COUNT
const { run, Logger, makeWorkerUtils } = require("graphile-worker");

const [url, count] = [process.argv[2], Number(process.argv[3])];
const now = () => Number(process.hrtime.bigint()) / 1e6;
const silent = new Logger(() => () => {});
let started;

async function main() {
  const task = async () => started(now());
  const runner = await run({
    connectionString: url, concurrency: 2, noHandleSignals: true, logger: silent,
    taskList: { noop: task },
  });
  const utils = await makeWorkerUtils({ connectionString: url, logger: silent });
  const times = [];
  for (let i = 0; i < count + 50; i++) {
    const start = new Promise((resolve) => (started = resolve));
    const began = now();
    await utils.addJob("noop", {});
    const took = (await start) - began;
    if (i >= 50) times.push(took);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
  }
  await utils.release();
  await runner.stop();
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  console.log(JSON.stringify({ p50_ms: at(0.5), p99_ms: at(0.99) }));
}

main().catch((error) => { console.error(error); process.exit(1); });

/**
 * A disk that takes no more: this process may not write files beyond a size, which ends for it as a full disk does, in
 * the midst of its work.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before } from "node:test";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { openStore } from "../../src/storage/storage.ts";
import { ids } from "../contract/engines.ts";
import { ledgerOf, spentOf } from "../support/allowances.ts";
import { send } from "../support/simulator-client.ts";
import { assertCases, booksOf, type Asked } from "./books.ts";
import type { Case } from "./lines/line.ts";
import { diskLines } from "./lines/storage.ts";
import { answered } from "./outcome.ts";
import { openScene, type Scene } from "./scene.ts";
import { testLines, together } from "./test-lines.ts";

const clock = createSystemClock();

/** Of any file; `unlimited`: as it was. */
function allowBytes(soft: "1" | "unlimited"): number | null {
  return spawnSync("prlimit", [`--pid=${process.pid}`, `--fsize=${soft}:`]).status;
}

const skip = allowBytes("unlimited") === 0 ? false : "no `prlimit` (of util-linux)";

/** What writes beyond the size get is an error, not the end of the process: https://man7.org/linux/man-pages/man2/setrlimit.2.html */
const survive = (): void => undefined;
before(() => process.on("SIGXFSZ", survive));
after(() => process.off("SIGXFSZ", survive));

/** The disk is full meanwhile, and until all callers have their answer; then, for `further`. */
async function whileFull(
  scene: Scene,
  ask: () => readonly Asked[],
  further: () => Promise<void> = async () => {},
): Promise<void> {
  assert.equal(allowBytes("1"), 0);
  try {
    await Promise.all(ask().map(({ reply }) => reply));
    assert.equal((await send(`${scene.test.url}/healthz`)).status, 200);
    await further();
  } finally {
    allowBytes("unlimited");
  }
}

/** All are called before the first has its answer, also on a busy machine. */
async function askAll(scene: Scene, all: readonly Case[]): Promise<readonly Asked[]> {
  const asked = all.map((one) => scene.ask({ ...one, script: "ttft=1500" }));
  await scene.whenCalled(all.length);
  return asked;
}

async function assertServing(scene: Scene, all: readonly Case[]): Promise<void> {
  for (const one of all) await scene.check(scene.ask(one), { ...one, outcome: answered() });
  await scene.assertBooks();
}

testLines(
  diskLines,
  {
    "full before the call": together(async (all) => {
      await using scene = await openScene({}, {}, true);
      let asked: readonly Asked[] = [];
      await whileFull(scene, () => (asked = all.map((one) => scene.ask(one))));
      const verdicts = await scene.checkAll(asked, all);
      assert.deepEqual(scene.test.simulator.invoice(), [], "nobody was called");
      await assertServing(scene, all);
      return verdicts;
    }),

    "full at the end": together(async (all) => {
      await using scene = await openScene();
      const asked = await askAll(scene, all);
      await whileFull(scene, () => asked);
      const verdicts = await scene.checkAll(asked, all);
      await assertServing(scene, all);
      return verdicts;
    }),

    "full at the stop": together(async (all) => {
      await using scene = await openScene();
      const asked = await askAll(scene, all);
      await whileFull(
        scene,
        () => asked,
        () => scene.test.gateway.stop(),
      );
      const { dataDir, simulator } = scene.test;
      await using store = await openStore({ dataDir, durability: "process", clock, ids });
      const verdicts = await assertCases(booksOf(store, simulator), asked, all);
      const { money, tokens } = await spentOf({ store });
      assert.deepEqual({ money, tokens }, await ledgerOf({ store }));
      return verdicts;
    }),
  },
  { skip },
);

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTestCli, type TestCli } from "../../../../test/support/cli.ts";
import { createSystemClock } from "../../../kernel/clock.ts";
import { startSimulator } from "../../../simulator/simulator.ts";
import { evaluateThresholds, pairsToShow } from "./thresholds.ts";

const clock = createSystemClock();

const pairs = [
  { a: "How do I reset my password?", b: "how do I RESET my password", label: "same" },
  { a: "Where can I find my invoice", b: "where can I find my last invoice", label: "same" },
  { a: "Cancel my subscription", b: "I want to leave", label: "same" },
  { a: "How do I reset my password?", b: "How do I change my address?", label: "different" },
  { a: "Tell me about the moon", b: "What is the weather", label: "different" },
  { a: "What is 17 and 25", b: "What is 17 and 26", label: "different" },
];

function write(cli: TestCli, lines: readonly unknown[], url: string | null = null, more = ""): void {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  writeFileSync(join(cli.folder, "pairs.jsonl"), `${text}\n\n`);
  if (url === null) return;
  const configuration = `providers:\n  simulator:\n    baseUrl: ${url}/v1\n    key: env:SIM_KEY\n${more}`;
  writeFileSync(join(cli.folder, "headgate.yaml"), configuration);
}

interface Document {
  readonly model: string;
  readonly tokens: number;
  readonly pairs: object;
  readonly threshold: number | null;
  readonly thresholds: readonly { readonly threshold: number; readonly trueHits: number; readonly falseHits: number }[];
}

test("cache evaluate says what each threshold would come to, and the lowest that is good enough", async () => {
  using cli = createTestCli({ env: { SIM_KEY: "sk-sim-test" } });
  await using simulator = await startSimulator({ clock });
  write(cli, pairs, simulator.url, "cache: {embeddings: simulator/sim-embed}\n");
  const document = await cli.json<Document>("cache", "evaluate", "--pairs", "pairs.jsonl");
  assert.deepEqual(document.pairs, { same: 3, different: 3, neverCompared: 1 });
  assert.equal(document.model, "simulator/sim-embed");
  assert.ok(document.tokens > 20);
  assert.equal(document.thresholds.length, 20);
  assert.deepEqual(document.thresholds[0], { threshold: 0.8, trueHits: 2, falseHits: 0 });
  assert.deepEqual(document.thresholds[19], { threshold: 0.99, trueHits: 1, falseHits: 0 });
  assert.equal(document.threshold, 0.8);
  const { stdout, stderr, exitCode } = await cli.run("cache", "evaluate", "--pairs", "pairs.jsonl");
  assert.equal(exitCode, 0);
  assert.match(stdout, /^THRESHOLD +TRUE HITS +FALSE HITS$/m);
  assert.match(stdout, /^0\.80 +66\.7 % \(2\) +0 % \(0\)$/m);
  assert.match(stdout, /^threshold: 0\.80 is the lowest .*: 0 of 3\. It finds 2 of 3 that are the same\.$/m);
  assert.match(stderr, /^At least 300 different pairs show .*; these are 3\.$/m);
});

test("cache evaluate fails where no threshold is good enough", async () => {
  using cli = createTestCli({ env: { SIM_KEY: "sk-sim-test" } });
  await using simulator = await startSimulator({ clock });
  const twins = { a: "Turn it on now", b: "now turn it on", label: "different" };
  write(cli, [...pairs, twins], simulator.url);
  const options = ["--embeddings", "simulator/sim-embed", "--false-hits"];
  const { exitCode, stdout } = await cli.run("cache", "evaluate", "--pairs", "pairs.jsonl", ...options, "0.5%");
  assert.equal(exitCode, 5);
  assert.match(stdout, /^At no threshold up to 0\.99 at most 0\.5 % of the different pairs are hits\./m);
  const { threshold } = await cli.json<Document>("cache", "evaluate", "--pairs", "pairs.jsonl", ...options, "25");
  assert.equal(threshold, 0.8);
});

test("cache evaluate says what is wrong with what it was given", async () => {
  using cli = createTestCli({ env: { SIM_KEY: "sk-sim-test" } });
  await using simulator = await startSimulator({ clock });
  const evaluate = async (...more: string[]): Promise<string> => {
    const { exitCode, stderr } = await cli.run("cache", "evaluate", "--pairs", "pairs.jsonl", ...more);
    assert.notEqual(exitCode, 0);
    return stderr;
  };
  assert.match(await evaluate(), /pairs\.jsonl cannot be read\. There is no such file\./);
  for (const [line, reason] of [
    ["{", /pairs\.jsonl:7 is no pair: it must be/],
    [{ a: "x", b: " ", label: "same" }, /pairs\.jsonl:7 is no pair/],
    [{ a: "x", b: "y", label: "alike" }, /pairs\.jsonl:7: "label" must be "same" or "different"/],
  ] as const) {
    write(cli, [...pairs, line]);
    assert.match(await evaluate(), reason);
  }
  write(cli, pairs.slice(0, 3));
  assert.match(await evaluate(), /needs pairs of both labels/);
  write(cli, pairs, simulator.url);
  assert.match(await evaluate(), /Say which model makes the vectors: --embeddings/);
  assert.match(
    await evaluate("--embeddings", "simulator/sim-embed", "--false-hits", "101"),
    /a percentage from 0 to 100/,
  );
  assert.match(await evaluate("--embeddings", "simulator/sim-embed:status=401"), /Error: /);
  write(cli, pairs, await simulator.refusedUrl());
  assert.match(await evaluate("--embeddings", "simulator/sim-embed"), /could not be asked: .*ECONNREFUSED/);
});

test("a threshold is chosen by the share of false hits among the different pairs", () => {
  const different = Array.from({ length: 100 }, (_, index) => ({ isSame: false, similarity: index / 100 }));
  const same = [0.5, 0.93, null].map((similarity) => ({ isSame: true, similarity }));
  const chosenAt = (share: number): object | null => evaluateThresholds([...same, ...different], share).chosen;
  assert.deepEqual(chosenAt(0.05), { threshold: 0.95, trueHits: 0, falseHits: 5 });
  assert.deepEqual(chosenAt(0.1), { threshold: 0.9, trueHits: 1, falseHits: 10 });
  assert.equal(chosenAt(0), null);
  assert.deepEqual([pairsToShow(0.01), pairsToShow(0)], [300, Infinity]);
});

/**
 * `npm run overspend -- --engine sqlite --processes 8 --requests 2000 --fits 300 --kills 3 --policy strict`: many
 * requests at once, over several gateway processes that share a store and are killed now and then, against a budget
 * that pays for a few of them. Prints what callers saw and what the books say, and ends with 1 if the limit was passed
 * beyond its stated bound or anything was lost or doubled.
 */
import { parseArgs } from "node:util";
import { runOverspend, type OverspendOptions } from "./run.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "sqlite" },
    processes: { type: "string", default: "8" },
    requests: { type: "string", default: "2000" },
    fits: { type: "string", default: "300" },
    kills: { type: "string", default: "3" },
    policy: { type: "string", default: "strict" },
    seed: { type: "string", default: "1" },
  },
});

const options: OverspendOptions = {
  engine: oneOf("engine", values.engine, ["sqlite", "postgres"]),
  processes: count("processes", values.processes),
  requests: count("requests", values.requests),
  fits: count("fits", values.fits),
  kills: count("kills", values.kills),
  policy: oneOf("policy", values.policy, ["strict", "expected"]),
  seed: count("seed", values.seed),
};
const findings = await runOverspend(options, (text) => void process.stdout.write(`${text}\n`));
for (const finding of findings) process.stdout.write(`WRONG: ${finding}\n`);
process.exitCode = findings.length === 0 ? 0 : 1;

function count(name: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number, not ${JSON.stringify(text)}.`);
}

function oneOf<Choice extends string>(name: string, text: string, choices: readonly Choice[]): Choice {
  const chosen = choices.find((choice) => choice === text);
  if (chosen !== undefined) return chosen;
  throw new Error(`--${name} is one of ${choices.join(", ")}, not ${JSON.stringify(text)}.`);
}

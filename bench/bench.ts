/**
 * `npm run bench [-- --rounds N --scale F --only name,name]`: every competitor in one run on one machine, the gateway
 * pinned to one core, simulator and load on another, rounds interleaved, medians reported. Writes a table to stdout
 * and JSON to bench/results/. Absolute figures belong to the machine; ratios are what may be quoted.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { directCompetitor, startNginx, startPortkey, type Bench, type Competitor } from "./competitors.ts";
import { startHeadgate } from "./headgate.ts";
import { NumberSource } from "./http-client.ts";
import { startPinned, pinSelf } from "./processes.ts";
import { openTestPostgres, postgresMissing } from "../test/support/postgres.ts";
import { renderTable, summarize, type Round } from "./report.ts";
import { scenarios, scriptsOf, type Sizes } from "./scenarios.ts";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(project, "dist", "main.js");
const GATEWAY_CORE = 0;
const LOAD_CORE = Math.min(1, cpus().length - 1);
const FIRST_PORT = 4610;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    scale: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    competitors: { type: "string", default: "" },
  },
});
const scale = Number(values.scale);
const sizes: Sizes = {
  requests: Math.ceil(20_000 * scale),
  latencyRequests: Math.ceil(3_000 * scale),
  streams: Math.ceil(500 * Math.min(1, scale)),
  streamTokens: Math.ceil(250 * scale),
  largeRequests: Math.ceil(300 * scale),
};

build();
pinSelf(LOAD_CORE);
const folder = mkdtempSync(join(tmpdir(), "headgate-bench-"));
const bench: Bench = { folder, simulatorPort: FIRST_PORT, gatewayCore: GATEWAY_CORE, scripts: scriptsOf(sizes) };
try {
  await using simulator = await startPinned({
    name: "simulator",
    core: LOAD_CORE,
    command: [process.execPath, main, "sim", "--port", String(bench.simulatorPort)],
    port: bench.simulatorPort,
  });
  process.stderr.write(`simulator and load on core ${LOAD_CORE}, the measured process on core ${GATEWAY_CORE}\n`);
  await using started = new AsyncDisposableStack();
  const rounds = await measure(await startCompetitors(started));
  process.stderr.write(`simulator memory at the end: ${Math.round(simulator.residentBytes() / 1e6)} MB\n`);
  const summary = summarize(rounds);
  process.stdout.write(renderTable(summary));
  const results = join(project, "bench", "results");
  mkdirSync(results, { recursive: true });
  writeFileSync(
    join(results, "latest.json"),
    `${JSON.stringify({ sizes, node: process.version, summary, rounds }, null, 2)}\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** What is measured is the published form, not the sources. */
function build(): void {
  const { status } = spawnSync(process.execPath, [join(project, "scripts", "build.ts")], { stdio: "inherit" });
  if (status !== 0) throw new Error("npm run build failed: nothing to measure");
}

/** Whatever was started is stopped with `started`. */
async function startCompetitors(started: AsyncDisposableStack): Promise<Competitor[]> {
  const wanted = values.competitors === "" ? null : new Set(values.competitors.split(","));
  const starts: readonly (readonly [string, () => Promise<Competitor | null>])[] = [
    ["direct", async () => directCompetitor(bench)],
    ["nginx", () => startNginx(bench, FIRST_PORT + 1)],
    ["headgate", () => startHeadgate(bench, FIRST_PORT + 2, main, "headgate")],
    ["headgate-unlimited", () => startHeadgate(bench, FIRST_PORT + 4, main, "headgate-unlimited")],
    ["headgate-postgres", () => startOnPostgres(started)],
    ["headgate-configured", () => startHeadgate(bench, FIRST_PORT + 5, main, "headgate-configured")],
    ["headgate-keeping", () => startHeadgate(bench, FIRST_PORT + 6, main, "headgate-keeping")],
    ["portkey", () => startPortkey(bench, FIRST_PORT + 3, join(project, "bench", "competitors"))],
  ];
  const competitors: Competitor[] = [];
  for (const [name, start] of starts) {
    const competitor = wanted?.has(name) === false ? null : await start();
    if (competitor === null) continue;
    if (competitor.process !== null) started.use(competitor.process);
    competitors.push(competitor);
  }
  return competitors;
}

/** `null` where there is no PostgreSQL. Its server runs on the core of simulator and load. */
async function startOnPostgres(started: AsyncDisposableStack): Promise<Competitor | null> {
  if (postgresMissing !== false) return null;
  const { url } = started.use(await openTestPostgres("bare"));
  return startHeadgate(bench, FIRST_PORT + 7, main, "headgate-postgres", url);
}

async function measure(competitors: readonly Competitor[]): Promise<Round[]> {
  const only = values.only === "" ? null : new Set(values.only.split(","));
  const rounds: Round[] = competitors.flatMap(atRest);
  const numbers = new NumberSource();
  for (const scenario of scenarios) {
    if (only !== null && !only.has(scenario.name)) continue;
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const competitor of competitors) {
        const figures = await scenario.run(competitor, sizes, numbers);
        if (figures === null) continue;
        rounds.push({ scenario: scenario.name, competitor: competitor.name, features: competitor.features, figures });
        process.stderr.write(`${scenario.title}: round ${round + 1}, ${competitor.name} done\n`);
      }
    }
  }
  return rounds;
}

function atRest({ name, features, process: measured }: Competitor): Round[] {
  if (measured === null) return [];
  const figures = { residentMb: measured.residentBytes() / 1e6, failures: 0 };
  return [{ scenario: "rest", competitor: name, features, figures }];
}

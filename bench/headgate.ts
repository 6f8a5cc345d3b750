/**
 * Headgate as a competitor, in several setups:
 *
 * - `headgate`: as a company runs it, with authentication, ten allowances, reservation journaled before the call, durable
 *   ledger, sums by hour and record.
 * - `headgate-unlimited`: without allowances, which shows what those cost.
 * - `headgate-postgres`: as `headgate`, with its books in PostgreSQL, as one of many machines has them.
 * - `headgate-configured`: besides the allowances, everything that is there for bad days is configured and asked for, none
 *   of which comes.
 * - `headgate-keeping`: besides that, each request has an `Idempotency-Key` of its own and its route caches, so each answer
 *   is looked for, not found, and kept twice.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Competitor } from "./competitors.ts";
import { NUMBER_PLACE } from "./http-client.ts";
import { startPinned } from "./processes.ts";

export type HeadgateSetup =
  | "headgate"
  | "headgate-unlimited"
  | "headgate-postgres"
  | "headgate-configured"
  | "headgate-keeping";

/** Ten that every request of the benchmark has on its path, wide enough for all of them: scopes, meters and windows mixed. */
const allowances: readonly (readonly string[])[] = [
  ["tenant-money", "--money", "1000000", "--per", "month"],
  ["tenant-strict", "--money", "1000000", "--per", "lifetime", "--policy", "strict"],
  ["tenant-tokens", "--tokens", "900000000000", "--per", "day"],
  ["tenant-rate", "--requests", "900000000", "--per", "minute"],
  ["tenant-slots", "--slots", "100000"],
  ["project-money", "--money", "1000000", "--per", "week", "--project", "each"],
  ["project-rate", "--tokens", "900000000000", "--per", "minute", "--project", "each"],
  ["key-money", "--money", "1000000", "--per", "day", "--key", "each"],
  ["key-rate", "--requests", "900000000", "--per", "minute", "--key", "each"],
  ["key-slots", "--slots", "100000", "--key", "each"],
];

const configuredFeatures =
  "authentication, ten allowances, an alias of two balanced targets (sticky) and a fallback with hedges, adaptive concurrency and a queue in front of its provider, tags asked for by header, a price ceiling, a deadline, timeouts, retries, streams committed after a window";

const setups: Readonly<Record<HeadgateSetup, string>> = {
  headgate: "authentication, model routing, ten allowances",
  "headgate-unlimited": "authentication, model routing, no allowances",
  "headgate-postgres": "authentication, model routing, ten allowances, PostgreSQL",
  "headgate-configured": `${configuredFeatures}, a cache on request`,
  "headgate-keeping": `${configuredFeatures}, a cache that each answer goes to, an idempotency key on each request`,
};
const recorded = "hold journaled before the call, durable ledger, sums by hour and request record";

/** `main`: the built entry. `databaseUrl`: of an empty database; `null`: its books are in SQLite. */
export async function startHeadgate(
  bench: Bench,
  port: number,
  main: string,
  setup: HeadgateSetup,
  databaseUrl: string | null = null,
): Promise<Competitor> {
  const folder = join(bench.folder, setup);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "headgate.yaml");
  const isConfigured = setup === "headgate-configured" || setup === "headgate-keeping";
  const storage = databaseUrl === null ? "" : "storage:\n  postgres: env:DATABASE_URL\n";
  writeFileSync(file, storage + (isConfigured ? fullConfig(bench, setup) : plainConfig(bench)));
  const env = databaseUrl === null ? {} : { DATABASE_URL: databaseUrl };
  const place = ["--config", file, "--data-dir", join(folder, "data")];
  const server = await startPinned({
    name: setup,
    core: bench.gatewayCore,
    command: [process.execPath, main, "serve", "--json", "--port", String(port), ...place],
    env,
    port,
  });
  const prepare = async (): Promise<string> => {
    const key = await server.printed(/"apiKey":\s*"([^"]+)"/);
    for (const allowance of setup === "headgate-unlimited" ? [] : allowances)
      createAllowance([main, "budget", "create", ...allowance, ...place], env);
    return key;
  };
  const key = await prepare().catch(async (error: unknown) => {
    await server[Symbol.asyncDispose]();
    throw error;
  });
  return {
    name: setup,
    port,
    key,
    model: isConfigured ? aliasOf : (script) => `simulator/sim-chat:${script}`,
    features: `${setups[setup]}, ${recorded}`,
    process: server,
    translated: isConfigured ? null : (script) => `simulator-anthropic/sim-claude:${script}`,
    extraHeaders: isConfigured ? headersOf(setup) : {},
  };
}

function createAllowance(command: readonly string[], env: Readonly<Record<string, string>>): void {
  const options = { encoding: "utf8", env: { ...process.env, ...env } } as const;
  const { status, stderr } = spawnSync(process.execPath, command, options);
  if (status !== 0) throw new Error(`${command.join(" ")} failed: ${stderr}`);
}

/** Of each request, as a careful caller sends them. */
function headersOf(setup: HeadgateSetup): Readonly<Record<string, string>> {
  const headers = { "x-headgate-deadline-ms": "60000", "x-headgate-require-tags": "eu" };
  return setup === "headgate-keeping" ? { ...headers, "idempotency-key": `bench-${NUMBER_PLACE}` } : headers;
}

function plainConfig({ simulatorPort }: Bench): string {
  return `providers:
  simulator:
    baseUrl: http://127.0.0.1:${simulatorPort}/v1
  simulator-anthropic:
    baseUrl: http://127.0.0.1:${simulatorPort}/v1
telemetry:
  logLevel: warn
`;
}

function fullConfig({ simulatorPort, scripts }: Bench, setup: HeadgateSetup): string {
  const cacheMode = setup === "headgate-keeping" ? "exact" : "on-request";
  return `providers:
  simulator:
    baseUrl: http://127.0.0.1:${simulatorPort}/v1
    tags: [eu]
    concurrency: 1000
  simulator-anthropic:
    baseUrl: http://127.0.0.1:${simulatorPort}/v1
    tags: [eu]
    concurrency: 1000
health:
  adaptiveConcurrency: "on"
telemetry:
  logLevel: warn
models:
${scripts.map((script) => configuredModel(script, cacheMode)).join("")}`;
}

function aliasOf(script: string): string {
  return `configured-${script.replaceAll(/[^a-z0-9]+/g, "-")}`;
}

function configuredModel(script: string, cacheMode: string): string {
  return `  ${aliasOf(script)}:
    targets:
      - { model: "simulator/sim-chat:${script}", timeouts: { connectMs: 2s } }
      - { model: "simulator/sim-chat:${script},tag=second", weight: 2 }
    fallbacks:
      - { model: "simulator-anthropic/sim-claude:${script}" }
    balance: sticky
    requires: [eu]
    priceCeiling: { input: 1000, output: 1000 }
    timeouts: { firstTokenMs: 60s, idleMs: 30s }
    retries: { attemptsMax: 5 }
    commit: { at: window, windowTokens: 8, windowMs: 100ms }
    hedge: { mode: "on", afterMs: 60s }
    cache: { mode: ${cacheMode} }
`;
}

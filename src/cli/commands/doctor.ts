import type { StorageConfig } from "../../config/config.ts";
import type { Clock } from "../../kernel/clock.ts";
import { createUndiciTransport } from "../../providers/undici-transport.ts";
import type { Invocation } from "../command.ts";
import { checkClock, readClock } from "../doctor/clock-check.ts";
import { checkConfiguration } from "../doctor/configuration-check.ts";
import type { Finding } from "../doctor/finding.ts";
import { checkPort } from "../doctor/port-check.ts";
import { checkPrices } from "../doctor/price-check.ts";
import { checkCredentials, checkProviders, type ProviderFindings } from "../doctor/provider-check.ts";
import { checkJournal, checkSharedDatabase } from "../doctor/shared-check.ts";
import { checkDataFolder, checkStore } from "../doctor/store-check.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { viewGateway } from "../gateway-view.ts";
import type { Output } from "../output.ts";
import { loadSettingsWithKeys } from "../workspace.ts";

export interface DoctorOptions {
  readonly offline: boolean;
}

export async function run(invocation: Invocation<DoctorOptions>): Promise<ExitCode> {
  const { context, options, output } = invocation;
  const begin = readClock(context.clock);
  const loaded = loadSettingsWithKeys(invocation);
  const { config } = loaded;
  const snapshot = viewGateway(config, context);
  await using transport = createUndiciTransport({ connectTimeoutMs: config.timeouts.connectMs, connectionsMax: 2 });
  const ask = { transport, clock: context.clock };
  const endpoints = [...snapshot.endpoints.values()];
  const providers: ProviderFindings = options.offline
    ? { findings: checkCredentials(endpoints), aheadMs: [] }
    : await checkProviders(ask, endpoints);
  const findings: readonly Finding[] = [
    ...checkConfiguration(loaded),
    checkDataFolder(config.storage.dataDir),
    ...(await checkStores(config.storage, options, context.clock)),
    await checkPort(ask, config.server),
    ...providers.findings,
    checkPrices(snapshot, context.clock.wallMs()),
    checkClock(begin, readClock(context.clock), providers.aheadMs),
  ];
  const failed = findings.some(({ level }) => level === "fail");
  output.result({ ok: !failed, checks: findings }, () => renderFindings(findings, output));
  return failed ? exitCodes.checks : exitCodes.ok;
}

async function checkStores(
  { dataDir, postgres }: StorageConfig,
  { offline }: DoctorOptions,
  clock: Clock,
): Promise<readonly Finding[]> {
  if (postgres === null) return checkStore(dataDir);
  const journal = checkJournal(dataDir);
  return offline ? journal : [await checkSharedDatabase(postgres.reveal(), clock), ...journal];
}

function renderFindings(findings: readonly Finding[], output: Output): string {
  const colours = { ok: "green", warn: "yellow", fail: "red" } as const;
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, level, message, advice }) => {
    const mark = output.paint(colours[level], level.padEnd(4));
    return `${mark}  ${check.padEnd(width)}  ${message}\n${advice === null ? "" : `${" ".repeat(width + 8)}→ ${advice}\n`}`;
  });
  const count = (level: Finding["level"]): number => findings.filter((finding) => finding.level === level).length;
  return `${lines.join("")}\n${count("ok")} ok, ${count("warn")} warnings, ${count("fail")} failed.\n`;
}

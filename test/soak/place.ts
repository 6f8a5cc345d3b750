/** Where a soak happens: a temporary folder with a configuration, the data folder that it names, and the gateway's log. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { providerSpecs } from "../../src/providers/catalogue.ts";
import { credentialEnv } from "./credentials.ts";
import type { Finding } from "./findings.ts";

export interface Place extends Disposable {
  readonly folder: string;
  readonly configFile: string;
  readonly dataDir: string;
  /** Where the gateway's log goes. */
  readonly logFile: string;
  /** Of the gateway's process, besides its path: the providers' credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly config: Config;
}

/** `settings`: the configuration of a gateway on that data folder. `keep`: the folder stays, for a person to look at. */
export function openPlace(settings: (dataDir: string) => unknown, keep: boolean): Place {
  const folder = mkdtempSync(join(tmpdir(), "headgate-soak-"));
  const configFile = join(folder, "headgate.yaml");
  const dataDir = join(folder, "data");
  // JSON is YAML, too.
  writeFileSync(configFile, JSON.stringify(settings(dataDir), null, 2));
  const check = loadConfig({
    env: credentialEnv,
    flags: { config: configFile },
    workingDirectory: folder,
    knownProviders: providerSpecs,
  });
  if (!check.ok) throw new Error(`The soak's configuration is refused: ${JSON.stringify(check.problems)}`);
  return {
    folder,
    configFile,
    dataDir,
    logFile: join(folder, "gateway.log"),
    env: credentialEnv,
    config: check.loaded.config,
    [Symbol.dispose]: () => {
      if (!keep) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Bytes of all write-ahead logs in the data folder. */
export function logBytes({ dataDir }: Pick<Place, "dataDir">): number {
  let bytes = 0;
  for (const name of readdirSync(dataDir)) {
    if (name.endsWith("-wal")) bytes += statSync(join(dataDir, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

/** What the gateway logged, which is errors only, and what it left behind when it had ended. */
export function auditFiles(place: Place): Finding[] {
  const findings: Finding[] = [];
  const bytes = logBytes(place);
  if (bytes > 0) findings.push({ rule: "the write-ahead log stayed behind", detail: `${bytes} bytes` });
  const log = readFileSync(place.logFile, { encoding: "utf8", flag: "a+" });
  for (const line of log.split("\n")) {
    if (line !== "") findings.push({ rule: "the gateway logged an error", detail: line.slice(0, 500) });
  }
  return findings;
}

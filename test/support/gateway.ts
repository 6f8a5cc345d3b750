/** A whole gateway in this process, on real sockets and a temporary data folder, with the simulator behind it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { Config } from "../../src/config/config.ts";
import { defaultConfig, defaultProvider, type DeepPartial } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import { startGateway, type Gateway, type GatewayOverrides } from "../../src/gateway.ts";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { createFirstKey } from "../../src/tenancy/first-key.ts";

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly simulator: Simulator;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** A key of the default project. */
  readonly key: string;
  readonly dataDir: string;
}

export interface TestGatewayOptions {
  readonly config?: DeepPartial<Config>;
  readonly overrides?: GatewayOverrides;
  readonly seed?: number;
}

const simulatorCredentials = [{ name: "test", key: createSecret("sk-sim-test", "test") }];

/** Providers `simulator` (openai dialects) and `simulator-anthropic` (anthropic-messages) lead to one simulator. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  await using opened = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), "headgate-test-"));
  opened.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const clock = createSystemClock();
  const simulator = opened.use(
    await startSimulator({ clock }, { host: "127.0.0.1", port: 0, seed: options.seed ?? 1 }),
  );
  const baseUrl = `${simulator.url}/v1`;
  const config = defaultConfig({
    ...options.config,
    server: { port: 0, shutdownGraceMs: 500, ...options.config?.server },
    storage: { dataDir, ...options.config?.storage },
    providers: {
      simulator: defaultProvider("simulator", { baseUrl, credentials: simulatorCredentials }),
      "simulator-anthropic": defaultProvider("simulator-anthropic", { baseUrl, credentials: simulatorCredentials }),
      ...options.config?.providers,
    },
  });
  const gateway = await startGateway(config, {
    version: "0.0.0-test",
    overrides: { logger: pino({ level: "silent" }), ...options.overrides },
  });
  opened.use(gateway);
  const ids = createIdSource(systemRandomFill, clock.wallMs);
  const first = await createFirstKey({ db: gateway.store.db, ids, clock, randomFill: systemRandomFill });
  if (first === null) throw new Error("the new store already has a tenant");
  const resources = opened.move();
  return {
    gateway,
    simulator,
    url: gateway.url,
    key: first.plainKey,
    dataDir,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

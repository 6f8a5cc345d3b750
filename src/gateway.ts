/**
 * The composition root: the one place where the parts are made and joined. Whatever touches the outside world (clock,
 * randomness, network, log) can be replaced by `overrides`, which is how tests run the whole gateway in one process.
 *
 * Start: store (migrated, recovered) → snapshot → socket. Stop: the socket stops accepting and `/readyz` fails,
 * requests in flight finish within the grace period, what is left is ended honestly, everything is settled, and the
 * store closes last.
 */
import type { Logger } from "pino";
import type { ReconcileReport } from "./accounting/reconcile.ts";
import { loadPriceCatalogue } from "./accounting/prices/catalogue.ts";
import type { Config } from "./config/config.ts";
import { createAdmission } from "./exchange/admission.ts";
import type { ExchangeDeps } from "./exchange/run.ts";
import { reconcile, type ReconciliationOptions } from "./exchange/reconciliation.ts";
import { createSnapshot, type SnapshotDeps } from "./exchange/snapshot.ts";
import { startHttpServer, type HttpServer } from "./http/server.ts";
import { createSystemClock, type Clock } from "./kernel/clock.ts";
import { createIdSource, randomUnit, systemRandomFill, type RandomFill } from "./kernel/ids.ts";
import { repeat } from "./kernel/repeat.ts";
import type { Transport } from "./providers/transport.ts";
import { createUndiciTransport } from "./providers/undici-transport.ts";
import { openStore, type Store } from "./storage/storage.ts";
import { createLogger } from "./telemetry/logger.ts";
import { createTelemetry, type Telemetry } from "./telemetry/telemetry.ts";
import { createAuthenticator } from "./tenancy/authenticator.ts";

const RECONCILIATION_INTERVAL_MS = 60_000;

export interface GatewayOptions {
  /** Of this program; providers see it in `user-agent`. */
  readonly version: string;
  readonly overrides?: GatewayOverrides;
}

/** What touches the outside world. Default: the system's own. */
export interface GatewayOverrides {
  readonly clock?: Clock;
  readonly randomFill?: RandomFill;
  readonly transport?: Transport;
  readonly logger?: Logger;
}

export interface Gateway extends AsyncDisposable {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly config: Config;
  readonly store: Store;
  readonly telemetry: Telemetry;
  /** Asks providers what calls used that we had to estimate, and appends the corrections. Runs by itself every minute. */
  reconcile(options?: ReconciliationOptions): Promise<ReadonlyMap<string, ReconcileReport>>;
  /** New requests run on the new configuration, those in flight keep theirs. Throws and changes nothing if it is unusable. */
  replaceConfig(config: Config): void;
  /** Drains and stops. Idempotent: every call waits for the same stop. `graceMs` overrides `server.shutdownGraceMs`. */
  stop(graceMs?: number): Promise<void>;
}

/** Rejects with `storage_unusable`, `invalid_argument`, or the socket's error (`EADDRINUSE`, …); nothing is left open. */
export async function startGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const overrides = options.overrides ?? {};
  const clock = overrides.clock ?? createSystemClock();
  const randomFill = overrides.randomFill ?? systemRandomFill;
  const telemetry = createTelemetry(overrides.logger ?? createLogger(config.telemetry));
  const ids = createIdSource(randomFill, clock.wallMs);
  const snapshotDeps: SnapshotDeps = {
    catalogue: loadPriceCatalogue(),
    random: () => randomUnit(randomFill),
    userAgent: `headgate/${options.version}`,
  };
  await using opened = new AsyncDisposableStack();
  let snapshot = createSnapshot(config, snapshotDeps);
  const store = opened.use(
    await openStore({
      dataDir: config.storage.dataDir,
      durability: config.storage.durability,
      clock,
      ids,
      events: {
        recovered: (report) => telemetry.lifecycle("charged what dead processes left held", { ...report }),
        failed: (what, error) => telemetry.backgroundFailed(what, error),
      },
    }),
  );
  const transport = opened.use(
    overrides.transport ??
      createUndiciTransport({
        connectTimeoutMs: config.timeouts.connectMs,
        connectionsMax: config.limits.connectionsPerProvider,
      }),
  );
  const admission = createAdmission();
  const deps: ExchangeDeps = {
    clock,
    ids,
    journal: store.journal,
    authenticator: createAuthenticator({ keys: store.keys, clock }),
    transport,
    admission,
    telemetry,
  };
  const server = await startHttpServer({
    ...deps,
    snapshot: () => snapshot,
    unreadyReason: () => (admission.draining ? "shutting down" : null),
  });
  const closing = new AbortController();
  const runReconciliation = (reconciliation: ReconciliationOptions): Promise<ReadonlyMap<string, ReconcileReport>> =>
    reconcile(
      {
        clock,
        transport,
        db: store.db,
        lookupFailed: (provider, reason) => telemetry.backgroundFailed(`the usage lookup at ${provider}`, reason),
      },
      snapshot,
      reconciliation,
      closing.signal,
    );
  opened.use(
    repeat(clock, RECONCILIATION_INTERVAL_MS, async () => {
      await runReconciliation({}).catch((reason: unknown) => {
        if (!closing.signal.aborted) telemetry.backgroundFailed("reconciliation", reason);
      });
    }),
  );
  opened.defer(() => closing.abort(new Error("the gateway stops")));
  const resources = opened.move();
  let stopping: Promise<void> | null = null;
  const gateway: Gateway = {
    url: server.url,
    get config() {
      return snapshot.config;
    },
    store,
    telemetry,
    reconcile: (reconciliation) => runReconciliation(reconciliation ?? {}),
    replaceConfig(next) {
      snapshot = createSnapshot(next, snapshotDeps);
    },
    stop(graceMs) {
      stopping ??= stop({ clock, admission, server, resources }, graceMs ?? snapshot.config.server.shutdownGraceMs);
      return stopping;
    },
    [Symbol.asyncDispose]: () => gateway.stop(),
  };
  return gateway;
}

interface Stopping {
  readonly clock: Clock;
  readonly admission: ReturnType<typeof createAdmission>;
  readonly server: HttpServer;
  readonly resources: AsyncDisposableStack;
}

async function stop({ clock, admission, server, resources }: Stopping, graceMs: number): Promise<void> {
  server.stopAccepting();
  const drained = admission.drain();
  const grace = Promise.withResolvers<void>();
  const timer = clock.setTimer(grace.resolve, graceMs);
  await Promise.race([drained, grace.promise]);
  timer.cancel();
  server.cancelAll();
  await drained;
  await server.close();
  await resources.disposeAsync();
}

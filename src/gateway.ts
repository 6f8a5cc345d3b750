/**
 * The composition root: the one place where the parts are made and joined. Whatever touches the outside world (clock,
 * randomness, network, log) can be replaced by `overrides`, which is how tests run the whole gateway in one process.
 *
 * Start: snapshot → store (migrated, recovered) → limits (known to the bank) → transport → socket. Stop: the socket
 * stops accepting and `/readyz` fails, requests in flight finish within the grace period, what is left is ended
 * honestly, answers are delivered, everything is settled, grants go back to the bank, and the store closes last.
 */
import type { Logger } from "pino";
import { openPriceCatalogue } from "./accounting/prices/refreshed.ts";
import type { Config } from "./config/config.ts";
import { createAdmission, type Admission } from "./exchange/admission.ts";
import { createLateReservations, type LateReservations } from "./exchange/late-reservations.ts";
import {
  createAlertEvents,
  createHealthEvents,
  createLimitsEvents,
  createSlowedEvents,
} from "./exchange/operator-events.ts";
import { scheduleReconciliation } from "./exchange/reconciliation.ts";
import { createSharing } from "./exchange/sharing/sharing.ts";
import { keepSweeping } from "./exchange/sharing/sweeping.ts";
import { createSnapshot, type Snapshot, type SnapshotDeps } from "./exchange/snapshot.ts";
import { startHttpServer, type HttpServer } from "./http/server.ts";
import { createSystemClock, type Clock } from "./kernel/clock.ts";
import { createIdSource, randomUnit, systemRandomFill, type IdSource, type RandomFill } from "./kernel/ids.ts";
import { startAlerts } from "./limits/alerts/alerts.ts";
import { createLimits } from "./limits/create-limits.ts";
import type { Limits } from "./limits/limits.ts";
import { startReaping } from "./limits/reaping.ts";
import { createTargetQueues, type TargetQueues } from "./limits/queue/queue.ts";
import type { TargetStanding } from "./limits/queue/queued-target.ts";
import type { SlowedStanding } from "./limits/queue/slowed/slowed-target.ts";
import type { Transport } from "./providers/transport.ts";
import { createTargetsHealth } from "./routing/health/create-health.ts";
import type { TargetHealthStanding } from "./routing/health/health.ts";
import { createUndiciTransport } from "./providers/undici-transport.ts";
import { databaseOptionsOf, openStore, type Store } from "./storage/storage.ts";
import { createLogger } from "./telemetry/logger.ts";
import { createTelemetry, type Telemetry } from "./telemetry/telemetry.ts";
import { createAuthenticator } from "./tenancy/authenticator.ts";

/** A dial is given up after this even if an attempt's own connect timer, which is configured, would wait longer. */
const DIAL_TIMEOUT_MS = 60_000;

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

/** What goes on in the process at a moment. */
export interface GatewayStanding {
  /** Requests that are being served, those that wait included. */
  readonly requests: number;
  /** Bounded targets, and the calls that run and wait there. */
  readonly queues: readonly TargetStanding[];
  /** Targets whose providers limit their rates, and the calls that wait to leave for them. */
  readonly slowed: readonly SlowedStanding[];
  /** Targets that were called, and how they fare. */
  readonly targets: readonly TargetHealthStanding[];
  /** Bytes of answers in memory, as far as `limits.heldBytes` counts them. */
  readonly heldBytes: number;
}

export interface Gateway extends AsyncDisposable {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly config: Config;
  readonly store: Store;
  readonly telemetry: Telemetry;
  /** New requests run on the new configuration, those in flight keep theirs. Throws and changes nothing if it is unusable. */
  replaceConfig(config: Config): void;
  standing(): GatewayStanding;
  /**
   * Drains and stops. Every call waits for the same stop; a later one with a shorter grace period shortens it.
   * `graceMs`: default `server.shutdownGraceMs`.
   */
  stop(graceMs?: number): Promise<void>;
}

/** Rejects with `storage_unusable`, `invalid_argument`, or the socket's error (`EADDRINUSE`, …); nothing is left open. */
export async function startGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const { clock = createSystemClock(), randomFill = systemRandomFill, logger, transport } = options.overrides ?? {};
  const telemetry = createTelemetry(logger ?? createLogger(config.telemetry));
  const ids = createIdSource(randomFill, () => clock.wallMs());
  const random = (): number => randomUnit(randomFill);
  const health = createTargetsHealth({ random, events: createHealthEvents(telemetry) }, config);
  const snapshotDeps: Omit<SnapshotDeps, "catalogue"> = {
    random,
    load: (target) => health.target(target).load(clock.monotonicMs()),
    userAgent: `headgate/${options.version}`,
  };
  const snapshotOf = (next: Config): Snapshot =>
    createSnapshot(next, { ...snapshotDeps, catalogue: openPriceCatalogue(next.storage.dataDir) });
  let snapshot = snapshotOf(config);
  await using opened = new AsyncDisposableStack();
  const lateReservations = createLateReservations();
  const admission = createAdmission();
  const store = opened.use(await openGatewayStore(config, { clock, ids, telemetry, lateReservations }));
  const limits = opened.use(await openLimits(config, store, { clock, ids, telemetry }));
  const deps = {
    clock,
    ids,
    telemetry,
    journal: store.journal,
    authenticator: createAuthenticator({ keys: store.keys, clock }),
    limits,
    lateReservations,
    queues: createTargetQueues(
      { clock, events: createSlowedEvents(telemetry), connectionsMax: scarceConnections(config) },
      config,
    ),
    health,
    random,
    transport: opened.use(transport ?? openTransport(config)),
    sharing: opened.use(
      createSharing({ ...store, answerMemory: admission.answers, clock, ids, telemetry, version: options.version }),
    ),
    admission,
    snapshot: () => snapshot,
  };
  opened.use(startBackground(deps, store, () => snapshot.config, random));
  const server = await startHttpServer({
    ...deps,
    unreadyReason: () => (deps.admission.draining ? "shutting down" : null),
  });
  const stopping = createStop({ ...deps, store, server, resources: opened.move() });
  return {
    url: server.url,
    get config() {
      return snapshot.config;
    },
    store,
    telemetry,
    replaceConfig(next) {
      snapshot = snapshotOf(next);
      deps.queues.configure(next);
      deps.health.configure(next);
    },
    standing: () => ({
      requests: deps.admission.inFlight,
      queues: deps.queues.standings(),
      slowed: deps.queues.slowed.standings(),
      targets: health.standings(clock.monotonicMs()),
      heldBytes: deps.admission.answers.bytes,
    }),
    stop: (graceMs) => stopping(graceMs ?? snapshot.config.server.shutdownGraceMs),
    [Symbol.asyncDispose]: () => stopping(snapshot.config.server.shutdownGraceMs),
  };
}

interface StoreDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly telemetry: Telemetry;
  readonly lateReservations: LateReservations;
}

function openGatewayStore(config: Config, deps: StoreDeps): Promise<Store> {
  const { clock, ids, telemetry, lateReservations } = deps;
  return openStore({
    ...databaseOptionsOf(config.storage),
    clock,
    ids,
    events: {
      recovered: (report) => telemetry.lifecycle("charged what dead processes left held", { ...report }),
      failed: (what, error) => telemetry.backgroundFailed(what, error),
      sharedDatabase(state, error) {
        if (state === "back") telemetry.lifecycle("the shared database can be reached again");
        else telemetry.warn("the shared database is lost; requests go on from what this machine has", { err: error });
      },
      lateClosing(state, record, entries) {
        telemetry.closingLate(state, record, entries);
        if (state !== "kept") lateReservations.closed(record.requestId, state);
      },
    },
  });
}

function openLimits(config: Config, store: Store, deps: Omit<StoreDeps, "lateReservations">): Promise<Limits> {
  return createLimits({
    bank: store.bank,
    allowances: store.allowances,
    instanceId: store.instanceId,
    delivered: () => store.delivered(),
    clock: deps.clock,
    ids: deps.ids,
    events: createLimitsEvents(deps),
    leaseMs: config.budgets.leaseMs,
    recallWaitMs: config.budgets.recallWaitMs,
  });
}

interface BackgroundDeps extends Omit<StoreDeps, "lateReservations"> {
  readonly transport: Transport;
  readonly snapshot: () => Snapshot;
}

/** What goes on beside the requests. */
function startBackground(
  deps: BackgroundDeps,
  { db, bank, answers, instanceId }: Store,
  config: () => Config,
  random: () => number,
): AsyncDisposable {
  const { clock, telemetry } = deps;
  const started = new AsyncDisposableStack();
  started.use(scheduleReconciliation({ ...deps, db }));
  started.use(keepSweeping({ ...deps, answers, cachedBytesMax: () => config().cache.sizeBytes }));
  started.use(
    startReaping({
      bank,
      clock,
      reaped: (report) => telemetry.warn("grants of processes that are out of touch are in suspense", { ...report }),
      failed: (cause) => telemetry.backgroundFailed("looking for processes that are out of touch", cause),
    }),
  );
  started.use(
    startAlerts({
      ...deps,
      db,
      instanceId,
      random,
      events: createAlertEvents(deps),
      webhook() {
        const { webhookUrl: url, webhookSecret } = config().alerts;
        return url === null || webhookSecret === null ? null : { url, secret: webhookSecret.reveal() };
      },
    }),
  );
  return started;
}

function openTransport(config: Config): Transport {
  return createUndiciTransport({
    connectTimeoutMs: Math.max(DIAL_TIMEOUT_MS, config.timeouts.connectMs),
    connectionsMax: config.limits.connectionsPerProvider,
  });
}

/** To a provider, where requests can come to need more than there are. */
function scarceConnections({ limits: { connectionsPerProvider, concurrentRequests } }: Config): number {
  return connectionsPerProvider < concurrentRequests ? connectionsPerProvider : Infinity;
}

interface StopDeps {
  readonly clock: Clock;
  readonly admission: Admission;
  readonly queues: TargetQueues;
  readonly store: Store;
  readonly server: HttpServer;
  readonly limits: Limits;
  readonly resources: AsyncDisposableStack;
}

function createStop(deps: StopDeps): (graceMs: number) => Promise<void> {
  const { clock, admission, queues, store, server, limits, resources } = deps;
  let stopped: Promise<void> | null = null;
  let limitsClosed: PromiseLike<void> | null = null;
  /** After the last request, or with the end of the grace period: what then waits for the store waits at the same time. */
  function close(): void {
    store.closing();
    limitsClosed ??= limits[Symbol.asyncDispose]();
  }
  async function stop(): Promise<void> {
    server.stopAccepting();
    queues.drain();
    await admission.drain();
    await server.close();
    close();
    await limitsClosed;
    await resources.disposeAsync();
  }
  return async (graceMs) => {
    stopped ??= stop();
    const timer = clock.setTimer(() => {
      server.cancelAll();
      close();
    }, graceMs);
    await stopped.finally(() => timer.cancel());
  };
}

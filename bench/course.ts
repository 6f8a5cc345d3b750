/**
 * What the way from a read request to its answer costs apart from everything around it: `node bench/course.ts` prints the
 * median of microseconds of CPU for a plan, a reservation of nothing and one call, over a provider that answers at once and
 * a journal that keeps nothing, by what is configured.
 */
import { loadPriceCatalogue } from "../src/accounting/prices/catalogue.ts";
import { defaultConfig, defaultProvider } from "../src/config/defaults.ts";
import { findDialect } from "../src/dialects/registry.ts";
import { createAdmission } from "../src/exchange/admission.ts";
import { runCourse } from "../src/exchange/course/course.ts";
import { Exchange, type Incoming } from "../src/exchange/exchange.ts";
import type { Responder } from "../src/exchange/responder.ts";
import type { ExchangeDeps } from "../src/exchange/run.ts";
import { createSnapshot } from "../src/exchange/snapshot.ts";
import { createSystemClock } from "../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../src/kernel/ids.ts";
import { parseJsonDocument } from "../src/kernel/json-document.ts";
import { createTargetQueues } from "../src/limits/queue/queue.ts";
import { emptyReservation } from "../src/limits/reservation.ts";
import type { UpstreamHandler, UpstreamRequest } from "../src/providers/transport.ts";
import { createTargetsHealth } from "../src/routing/health/create-health.ts";
import type { Principal } from "../src/tenancy/principal.ts";

const ROUNDS = 21;
const REQUESTS = 3_000;

const targets = [{ model: "p/a" }, { model: "p/b", weight: 2 }];
const quiet = { requires: ["eu"], commit: { at: "first-output" }, hedge: { mode: "on", afterMs: 60_000 } } as const;
const config = defaultConfig({
  providers: { p: defaultProvider("openai-compatible", { baseUrl: "http://127.0.0.1/v1", tags: ["eu"] }) },
  models: {
    alone: { targets: [{ model: "p/a" }] },
    configured: { ...quiet, targets, fallbacks: [{ model: "p/c" }], balance: "least-loaded" },
  },
});
const clock = createSystemClock();
const chat = findDialect("openai-chat");
const snapshot = createSnapshot(config, {
  catalogue: loadPriceCatalogue(),
  random: Math.random,
  userAgent: "headgate/bench",
});
const admission = createAdmission();
admission.enter(config.limits, "interactive");
const settled = Promise.resolve();

const whole = Buffer.from(
  `{"id":"c","object":"chat.completion","created":1,"model":"a","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`,
);
const stream = Buffer.from(
  `data: {"id":"c","object":"chat.completion.chunk","model":"a","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello."},"finish_reason":null}]}\n\n` +
    `data: {"id":"c","object":"chat.completion.chunk","model":"a","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`,
);

const deps = {
  clock,
  admission,
  ids: createIdSource(systemRandomFill, () => clock.wallMs()),
  random: Math.random,
  health: createTargetsHealth({ random: Math.random }, config),
  queues: createTargetQueues({ clock }, config),
  limits: { reserve: () => emptyReservation, moneyBudget: () => null },
  journal: { open: () => settled, extend: () => settled },
  transport: {
    send({ body }: UpstreamRequest, handler: UpstreamHandler) {
      queueMicrotask(() => {
        const isStream = body !== null && Buffer.from(body).includes('"stream":true');
        handler.onSent();
        handler.onHeaders(200, { "content-type": isStream ? "text/event-stream" : "application/json" });
        handler.onData(isStream ? stream : whole);
        handler.onEnd();
      });
      return { abort() {}, release() {}, pause() {}, resume() {} };
    },
  },
} as unknown as ExchangeDeps;

const incoming: Incoming = {
  method: "POST",
  path: "/v1/chat/completions",
  headers: { "x-stainless-timeout": "600" },
  readBody: () => Promise.resolve(whole),
  refuseBody: () => false,
};
const principal: Principal = {
  payer: { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" },
  keyName: "key",
  tenantName: "tenant",
  modelAllowList: null,
  metadata: {},
};

class Discarding implements Responder {
  headSent = false;
  bytesOut = 0;
  readonly unreadBytes = 0;
  send(): void {}
  start(): void {
    this.headSent = true;
  }
  write(bytes: Uint8Array): boolean {
    this.bytesOut += bytes.byteLength;
    return true;
  }
  end(): void {}
  destroy(): void {}
}

async function serve(model: string, isStream: boolean): Promise<void> {
  const head = { requestId: "req_1", startedAtMs: clock.wallMs(), startedMs: clock.monotonicMs() };
  const exchange = new Exchange(head, incoming, new Discarding(), snapshot, chat);
  const body = Buffer.from(
    `{"model":"${model}","stream":${isStream},"messages":[{"role":"user","content":"Hi"}],"max_tokens":20}`,
  );
  const view = chat.inbound?.view(parseJsonDocument(body, { depth: 20 })) ?? null;
  exchange.view = view;
  await runCourse(deps, exchange, principal);
  if (exchange.failure !== null || exchange.decisive?.open?.attempt.state !== "complete")
    throw exchange.failure ?? new Error("It did not answer.");
}

async function measure([, model, isStream]: Kind): Promise<number> {
  const before = process.cpuUsage();
  for (let index = 0; index < REQUESTS; index++) await serve(model, isStream);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REQUESTS;
}

type Kind = readonly [what: string, model: string, isStream: boolean];
const kinds: readonly Kind[] = [
  ["a whole answer of a provider's model", "p/a", false],
  ["a stream of it", "p/a", true],
  ["a whole answer of an alias of one target", "alone", false],
  ["a whole answer, with everything configured", "configured", false],
  ["a stream, with everything configured", "configured", true],
];

const times: number[][] = kinds.map(() => []);
for (let round = -2; round < ROUNDS; round++) {
  for (const [index, kind] of kinds.entries()) {
    const us = await measure(kind);
    if (round >= 0) times[index]?.push(us);
  }
}
for (const [index, [what]] of kinds.entries()) {
  const sorted = (times[index] ?? []).toSorted((a, b) => a - b);
  console.log(`${what.padEnd(45)} ${(sorted[ROUNDS >> 1] ?? 0).toFixed(1)} µs (least ${(sorted[0] ?? 0).toFixed(1)})`);
}

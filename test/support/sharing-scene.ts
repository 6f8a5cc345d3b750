/** Requests on their way through what they may share, without the rest of a gateway. */
import type { CallerDeadline } from "../../src/exchange/deadline.ts";
import type { Pause } from "../../src/exchange/course/pause.ts";
import { CanonicalBody } from "../../src/exchange/sharing/canonical-body.ts";
import type { Scene } from "../../src/exchange/sharing/scene.ts";
import { Share } from "../../src/exchange/sharing/share.ts";
import { defaultConfig } from "../../src/config/defaults.ts";
import { findDialect } from "../../src/dialects/registry.ts";
import type { RequestView } from "../../src/dialects/dialect.ts";
import { parseJsonDocument } from "../../src/kernel/json-document.ts";
import { AnswerMemory } from "../../src/streaming/answer-memory.ts";

/** A request whose caller can be made to leave. */
export type SharingScene = Scene & {
  readonly exchange: { cancelCause: string | null; readonly paused: Pause | null };
};

export const noDeadline: CallerDeadline = {
  totalDueMs: Infinity,
  firstOutputDueMs: Infinity,
  askedMs: null,
  header: null,
};

/** Of the alias `fast`, which caches equal requests. */
const config = defaultConfig({ models: { fast: { targets: [], cache: { mode: "exact" } } } });

/** `body`: of a chat, but for its model. */
export function createSharingScene(
  requestId: string,
  body: object,
  deadline: CallerDeadline = noDeadline,
): SharingScene {
  const dialect = findDialect("openai-chat");
  const messages = [{ role: "user", content: "Hello" }];
  const bytes = Buffer.from(JSON.stringify({ model: "fast", messages, ...body }));
  const view = dialect.inbound?.view(parseJsonDocument(bytes, { depth: 8 })) as RequestView;
  const exchange = {
    requestId,
    view,
    dialect,
    incoming: { method: "POST", path: "/v1/chat/completions", headers: {} },
    snapshot: { config, endpoints: new Map() },
    responder: { start() {}, write: () => true, end() {}, destroy() {} },
    cancelCause: null,
    cancel() {},
    resumeCall() {},
    paused: null as Pause | null,
    pause(pause: Pause) {
      this.paused = pause;
      return pause.over;
    },
  };
  return {
    exchange,
    view,
    body: new CanonicalBody(view.document),
    deadline,
    dueMs: deadline.totalDueMs,
    share: new Share(exchange),
    principal: { payer: { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" } },
    embed: () => Promise.reject(new Error("Nothing is compared.")),
    memory: new AnswerMemory(1_000_000),
  } as unknown as SharingScene;
}

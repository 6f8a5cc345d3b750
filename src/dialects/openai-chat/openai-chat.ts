/**
 * Chat completions: the dialect of OpenAI's `/v1/chat/completions` and of every endpoint that is compatible with it.
 * `inbound/` speaks with callers, `outbound/` with providers; what they share stands beside this file.
 */
import type { Dialect } from "../dialect.ts";
import { encodeError, encodeStreamError } from "./inbound/errors.ts";
import { viewRequest } from "./inbound/view.ts";
import { readError } from "./outbound/errors.ts";
import { readResponse } from "./outbound/reading.ts";
import { spliceRequest } from "./outbound/splice.ts";
import { ChatStreamReader } from "./outbound/stream-reader.ts";

export const openaiChat: Dialect = {
  name: "openai-chat",
  operation: "chat",
  inbound: {
    view: viewRequest,
    encodeError,
    encodeStreamError,
    streamEnd: Buffer.from("data: [DONE]\n\n"),
    heartbeat: Buffer.from(": keep-alive\n\n"),
  },
  outbound: {
    path: () => "/chat/completions",
    splice: spliceRequest,
    readResponse,
    createStreamReader: (quirks) => new ChatStreamReader(quirks),
    readError,
  },
};

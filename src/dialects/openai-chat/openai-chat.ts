/**
 * Chat completions: the dialect of OpenAI's `/v1/chat/completions` and of every endpoint that is compatible with it.
 * `inbound/` speaks with callers and `outbound/` with providers where bytes pass through; `inbound-request/`,
 * `outbound-request/` and `outbound-answer/` translate to and from the canonical form. What they share is beside this
 * file; what all of OpenAI's dialects share is in `openai-errors/`, what all callers' dialects share in `request-fields/`.
 */
import type { Dialect } from "../dialect.ts";
import { encodeError, encodeStreamError } from "../openai-errors/encode-error.ts";
import { pushOpenAiRate } from "../openai-rate-headers.ts";
import { isPlain } from "./inbound-request/plain.ts";
import { decodeRequest } from "./inbound-request/request.ts";
import { promptStart } from "./inbound/prompt-start.ts";
import { encodeResponse } from "./inbound/response.ts";
import { ChatStreamEncoder } from "./inbound/stream-encoder.ts";
import { viewRequest } from "./inbound/view.ts";
import { readError } from "../openai-errors/read-error.ts";
import { readResponse } from "./outbound/reading.ts";
import { encodeRequest } from "./outbound-request/request.ts";
import { decodeResponse } from "./outbound-answer/response.ts";
import { ChatStreamDecoder } from "./outbound-answer/stream-decoder.ts";
import { spliceRequest } from "./outbound/splice.ts";
import { ChatStreamReader } from "./outbound/stream-reader.ts";

export const openaiChat: Dialect = {
  name: "openai-chat",
  operation: "chat",
  inbound: {
    view: viewRequest,
    encodeError,
    encodeStreamError,
    pushRate: pushOpenAiRate,
    streamEnd: Buffer.from("data: [DONE]\n\n"),
    heartbeat: Buffer.from(": keep-alive\n\n"),
    promptStart,
    translation: {
      decodeRequest,
      isPlain,
      encodeResponse: (response, _view, createdMs) => encodeResponse(response, createdMs),
      createStreamEncoder: (view, createdMs, idStands) => new ChatStreamEncoder(view, createdMs, idStands),
    },
  },
  outbound: {
    path: () => "/chat/completions",
    splice: spliceRequest,
    readResponse,
    createStreamReader: (quirks, choices) => new ChatStreamReader(quirks, choices),
    readError,
    translation: {
      encodeRequest,
      decodeResponse,
      createStreamDecoder: (quirks) => new ChatStreamDecoder(quirks),
    },
  },
};

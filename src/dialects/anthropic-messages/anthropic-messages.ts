/**
 * The Anthropic Messages API, `POST /v1/messages` with `anthropic-version: 2023-06-01`.
 *
 * `inbound/` speaks with callers, `inbound-request/` reads what they ask for into the canonical form. `request/` turns
 * canonical requests into bodies for providers; response.ts and stream-decoder.ts turn their answers back;
 * stream-reader.ts, usage.ts and errors.ts are what accounting and health see, in translation and in pass-through alike.
 * Credentials and the version header belong to the provider, not to the dialect.
 */
import type { Dialect, InboundCodec, OutboundCodec } from "../dialect.ts";
import { readError } from "./errors.ts";
import { isPlain } from "./inbound-request/plain.ts";
import { decodeRequest } from "./inbound-request/request.ts";
import { encodeError, encodeStreamError } from "./inbound/encode-error.ts";
import { promptStart } from "./inbound/prompt-start.ts";
import { pushRate } from "./inbound/rate-headers.ts";
import { encodeResponse } from "./inbound/response.ts";
import { messageStop, MessagesStreamEncoder } from "./inbound/stream-encoder.ts";
import { viewPrompt, viewRequest } from "./inbound/view.ts";
import { goesOnFromAssistantTurn } from "./request/model-name.ts";
import { encodeRequest } from "./request/request.ts";
import { decodeResponse, readResponse } from "./response.ts";
import { spliceRequest } from "./splice.ts";
import { MessagesStreamDecoder } from "./stream-decoder.ts";
import { MessagesStreamReader } from "./stream-reader.ts";

const inbound: InboundCodec = {
  view: viewRequest,
  viewPrompt,
  encodeError,
  encodeStreamError,
  passedHeaders: ["anthropic-beta"],
  requestIdHeader: "request-id",
  pushRate,
  streamEnd: Buffer.from(messageStop),
  // The API's own `ping` is an event, and clients may expect none before `message_start`; a comment is none to anybody.
  heartbeat: Buffer.from(": keep-alive\n\n"),
  demandsOutputBound: true,
  promptStart,
  translation: {
    decodeRequest,
    isPlain,
    encodeResponse: (response, view, _createdMs, count) => encodeResponse(response, view, count),
    createStreamEncoder: (view, _createdMs, idStands) => new MessagesStreamEncoder(view, idStands),
  },
};

const outbound: OutboundCodec = {
  path: () => "/messages",
  splice: spliceRequest,
  readResponse,
  createStreamReader: () => new MessagesStreamReader(),
  readError,
  translation: {
    encodeRequest,
    decodeResponse,
    createStreamDecoder: () => new MessagesStreamDecoder(),
    // Neither thinking nor a demanded format of output goes together with it.
    takesPrefill: ({ reasoning, outputFormat }, { model }) =>
      reasoning === null && outputFormat === null && goesOnFromAssistantTurn(model),
  },
};

export const anthropicMessages: Dialect = { name: "anthropic-messages", operation: "chat", inbound, outbound };

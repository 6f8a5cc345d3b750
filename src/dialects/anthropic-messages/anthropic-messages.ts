/**
 * The Anthropic Messages API, `POST /v1/messages` with `anthropic-version: 2023-06-01`, as a client speaks it.
 *
 * `request/` turns canonical requests into bodies; response.ts and stream-decoder.ts turn answers back; stream-reader.ts,
 * usage.ts and errors.ts are what accounting and health see, in translation and in pass-through alike. Credentials and
 * the version header belong to the provider, not to the dialect.
 */
import { spliceMembers } from "../../kernel/json-splice.ts";
import type { Dialect, OutboundCodec } from "../dialect.ts";
import { readError } from "./errors.ts";
import { goesOnFromAssistantTurn } from "./request/model-name.ts";
import { encodeRequest } from "./request/request.ts";
import { decodeResponse, readResponse } from "./response.ts";
import { MessagesStreamDecoder } from "./stream-decoder.ts";
import { MessagesStreamReader } from "./stream-reader.ts";

const outbound: OutboundCodec = {
  path: () => "/messages",
  splice(view, target) {
    const changes = [{ name: "model", json: JSON.stringify(target.model) }];
    if (target.outputBound !== undefined) changes.push({ name: "max_tokens", json: String(target.outputBound) });
    return spliceMembers(view.document, changes);
  },
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

export const anthropicMessages: Dialect = { name: "anthropic-messages", operation: "chat", outbound };

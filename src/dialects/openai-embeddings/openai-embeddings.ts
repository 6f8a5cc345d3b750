/**
 * Embeddings: the dialect of OpenAI's `/v1/embeddings`. There is no canonical form of it: requests go to targets that
 * speak it, and bytes pass through.
 */
import { HeadgateError } from "../../kernel/errors.ts";
import { spliceMembers } from "../../kernel/json-splice.ts";
import { type Dialect, noLosses } from "../dialect.ts";
import { encodeError, encodeStreamError } from "../openai-errors/encode-error.ts";
import { pushOpenAiRate } from "../openai-rate-headers.ts";
import { readError } from "../openai-errors/read-error.ts";
import { readResponse } from "./reading.ts";
import { viewRequest } from "./view.ts";

export const openaiEmbeddings: Dialect = {
  name: "openai-embeddings",
  operation: "embeddings",
  inbound: {
    view: viewRequest,
    encodeError,
    encodeStreamError,
    pushRate: pushOpenAiRate,
    streamEnd: new Uint8Array(0),
    heartbeat: new Uint8Array(0),
  },
  outbound: {
    generates: false,
    path: () => "/embeddings",
    splice(view, target) {
      const { document, model } = view;
      if (model === target.model) return { body: document.bytes, losses: noLosses };
      const body = spliceMembers(document, [{ name: "model", json: JSON.stringify(target.model) }]);
      return { body, losses: noLosses };
    },
    readResponse,
    createStreamReader() {
      throw new HeadgateError("upstream_malformed", "The provider answered an embeddings request with a stream.");
    },
    readError,
  },
};

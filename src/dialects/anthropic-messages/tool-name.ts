/**
 * The callers' tools under names that other dialects take. This API takes 128 characters, and clients use them up (the
 * tools of MCP servers are named after server and tool); OpenAI's and most that are compatible with it take 64. A longer
 * name is cut and told apart by a hash of the whole, and the answer's calls get the caller's own name back.
 */
import { createHash } from "node:crypto";
import type { RequestView } from "../dialect.ts";
import { asArray, asObject, asText } from "../wire-values.ts";

const CHARS_MAX = 64;
const HASH_CHARS = 10;

export function shortenToolName(name: string): string {
  if (name.length <= CHARS_MAX) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_CHARS);
  return `${name.slice(0, CHARS_MAX - HASH_CHARS - 1)}_${hash}`;
}

/** The name of the tool of the request that was shortened to this one, or the name as it is. */
export function restoreToolName(name: string, { document }: RequestView): string {
  if (name.length !== CHARS_MAX) return name;
  for (const tool of asArray(document.root["tools"]) ?? []) {
    const own = asText(asObject(tool)?.["name"]);
    if (own !== null && own.length > CHARS_MAX && shortenToolName(own) === name) return own;
  }
  return name;
}

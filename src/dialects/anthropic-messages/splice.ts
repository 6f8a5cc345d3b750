import { type MemberChange, spliceMembers } from "../../kernel/json-splice.ts";
import type { JsonDocument } from "../../kernel/json-document.ts";
import { type EncodedRequest, type Loss, noLosses, type RequestView, type TargetFacts } from "../dialect.ts";
import { readExactMember } from "../exact-json.ts";
import { asArray, asObject } from "../wire-values.ts";
import { isForeignSignature, mayHoldForeignSignature } from "./foreign-signature.ts";

const reasoningLost: readonly Loss[] = ["reasoning"];

/**
 * The caller's bytes with the documented changes: the model's name is the target's, an `outputBound` takes the place of
 * the caller's, and thinking blocks that another dialect's provider gave in this conversation are left out, because the
 * API refuses a signature that is not its own. Where there are such blocks, the messages are written anew.
 */
export function spliceRequest({ document }: RequestView, target: TargetFacts): EncodedRequest {
  const changes: MemberChange[] = [{ name: "model", json: JSON.stringify(target.model) }];
  if (target.outputBound !== undefined) changes.push({ name: "max_tokens", json: String(target.outputBound) });
  const messages = mayHoldForeignSignature(document.bytes) ? messagesOfOwn(document) : null;
  if (messages !== null) changes.push({ name: "messages", json: JSON.stringify(messages) });
  return { body: spliceMembers(document, changes), losses: messages === null ? noLosses : reasoningLost };
}

/** `null`: there is nothing foreign. A turn that held nothing else is left out whole. */
function messagesOfOwn(document: JsonDocument): readonly unknown[] | null {
  let hasForeign = false;
  const own: unknown[] = [];
  for (const message of asArray(readExactMember(document, "messages")) ?? []) {
    const blocks = asArray(asObject(message)?.["content"]);
    const kept = blocks?.filter((block) => !isForeignThinking(block)) ?? null;
    if (blocks === null || kept === null || kept.length === blocks.length) {
      own.push(message);
      continue;
    }
    hasForeign = true;
    if (kept.length > 0) own.push({ ...asObject(message), content: kept });
  }
  return hasForeign ? own : null;
}

function isForeignThinking(block: unknown): boolean {
  const fields = asObject(block);
  return fields?.["type"] === "thinking" && isForeignSignature(fields["signature"]);
}

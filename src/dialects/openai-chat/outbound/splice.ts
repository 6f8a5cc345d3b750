import { type MemberChange, spliceMembers } from "../../../kernel/json-splice.ts";
import type { RequestView, TargetFacts } from "../../dialect.ts";
import { asObject } from "../../wire-values.ts";

/**
 * The caller's bytes with two documented changes: the model's name is the target's, and a stream whose caller did not
 * ask for usage asks for it (`stream_options.include_usage`, other stream options kept) where the provider needs asking.
 * A provider that does not take `stream_options` does not get the caller's.
 */
export function spliceRequest(view: RequestView, target: TargetFacts): Uint8Array {
  const changes: MemberChange[] = [];
  if (view.model !== target.model) changes.push({ name: "model", json: JSON.stringify(target.model) });
  if ((target.quirks.streamUsage ?? "stream_options") !== "stream_options") {
    if ("stream_options" in view.document.root) changes.push({ name: "stream_options", json: null });
  } else if (view.stream && !view.wantsStreamUsage) {
    const options = { ...asObject(view.document.root["stream_options"]), include_usage: true };
    changes.push({ name: "stream_options", json: JSON.stringify(options) });
  }
  return changes.length === 0 ? view.document.bytes : spliceMembers(view.document, changes);
}

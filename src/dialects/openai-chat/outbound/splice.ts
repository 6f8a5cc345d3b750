import { type MemberChange, spliceMembers } from "../../../kernel/json-splice.ts";
import { type EncodedRequest, noLosses, type RequestView, type TargetFacts } from "../../dialect.ts";
import { asObject } from "../../wire-values.ts";

/**
 * The caller's bytes with the documented changes: the model's name is the target's, and a stream whose caller did not
 * ask for usage asks for it (`stream_options.include_usage`, other stream options kept) where the provider needs asking.
 * A provider that does not take `stream_options` does not get the caller's. An `outputBound` takes the place of whatever
 * bound the caller gave.
 */
export function spliceRequest(view: RequestView, target: TargetFacts): EncodedRequest {
  const changes: MemberChange[] = [];
  if (view.model !== target.model) changes.push({ name: "model", json: JSON.stringify(target.model) });
  if ((target.quirks.streamUsage ?? "stream_options") !== "stream_options") {
    if ("stream_options" in view.document.root) changes.push({ name: "stream_options", json: null });
  } else if (view.stream && !view.wantsStreamUsage) {
    const options = { ...asObject(view.document.root["stream_options"]), include_usage: true };
    changes.push({ name: "stream_options", json: JSON.stringify(options) });
  }
  if (target.outputBound !== undefined) {
    const field = target.quirks.outputBoundField ?? "max_completion_tokens";
    const other = field === "max_tokens" ? "max_completion_tokens" : "max_tokens";
    changes.push({ name: field, json: String(target.outputBound) }, { name: other, json: null });
  }
  const body = changes.length === 0 ? view.document.bytes : spliceMembers(view.document, changes);
  return { body, losses: noLosses };
}

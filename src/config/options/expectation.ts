import type { ScalarNode } from "./option.ts";
import { formatDuration, formatSize } from "./units.ts";

/** What a value must be, to follow "must be". */
export function expectation(option: ScalarNode): string {
  switch (option.type) {
    case "integer":
      return `a whole number from ${option.min} to ${option.max}`;
    case "number":
      return `a number from ${option.min} to ${option.max}`;
    case "duration":
      return `whole milliseconds from ${option.min} to ${option.max} (${formatDuration(option.max)}), or text with a unit (ms, s, m, h) such as 30s`;
    case "size":
      return `whole bytes from ${option.min} to ${option.max} (${formatSize(option.max)}), or text with a unit (B, kB, MB, GB, KiB, MiB, GiB) such as 10MB`;
    case "choice":
      return option.choices.map((name) => `"${name}"`).join(" or ");
    case "text":
      return option.patternDoc ?? "text that is not empty";
    case "secret":
      return "a reference to a secret: env:NAME or file:PATH";
    case "target":
      return "the name of a model as provider/model";
    case "baseUrl":
      return "an http:// or https:// address without user name, query and fragment";
    case "dollars":
      return `dollars from 0 to ${option.max} with at most nine decimals, such as 2.5 or "0.075"`;
  }
}

/** Whether complaints may quote a wrong value: not where it could be, or carry, a secret. */
export function isQuotable(option: ScalarNode): boolean {
  return option.type !== "secret" && option.type !== "baseUrl" && option.pattern === null;
}

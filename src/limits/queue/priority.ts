import { HeadgateError } from "../../kernel/errors.ts";

/** `interactive`: somebody waits for the answer. `batch`: it may take its time. */
export type Priority = "interactive" | "batch";

const HEADER = "x-headgate-priority";

/**
 * The priority of a request: what `x-headgate-priority` says, else `batch` for the service tier of that name, else
 * `interactive`. Throws `invalid_header`.
 */
export function readPriority(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  serviceTier: string | null,
): Priority {
  const given = headers[HEADER];
  if (given === undefined) return serviceTier === "batch" ? "batch" : "interactive";
  if (given === "interactive" || given === "batch") return given;
  throw new HeadgateError("invalid_header", `${HEADER} must be "interactive" or "batch".`, { param: HEADER });
}

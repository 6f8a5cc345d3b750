/** One line of the doctor's report. */
export interface Finding {
  /** What was looked at: `store`, `provider openai`. Stable, for scripts. */
  readonly check: string;
  readonly level: "ok" | "warn" | "fail";
  /** What was found, as a sentence without a full stop. */
  readonly message: string;
  /** What to do next, as a sentence; `null` when there is nothing to do. */
  readonly advice: string | null;
}

export function ok(check: string, message: string): Finding {
  return { check, level: "ok", message, advice: null };
}

export function warn(check: string, message: string, advice: string): Finding {
  return { check, level: "warn", message, advice };
}

export function fail(check: string, message: string, advice: string): Finding {
  return { check, level: "fail", message, advice };
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
  return error.message === ""
    ? `${error.name}${code}`
    : `${error.message}${error.message.includes(code.slice(2, -1)) ? "" : code}`;
}

import type { LoadedConfig } from "../check.ts";
import { formatPath } from "../file/problem.ts";

/** One value in force and where it came from. */
export interface EffectiveValue {
  /** `providers.openai.credentials[0].key` */
  readonly path: string;
  /** A secret is shown by its reference: `[secret env:OPENAI_API_KEY]`. */
  readonly value: string | number | boolean | null;
  /** `headgate.yaml:12`, `HEADGATE_PORT`, `--port`, `OPENAI_API_KEY` or `default`. */
  readonly origin: string;
}

/** Every value of the configuration in force. No secret is in it. */
export function effectiveValues(loaded: LoadedConfig): readonly EffectiveValue[] {
  const values: EffectiveValue[] = [];
  collect(loaded.config, []);
  return values;

  function collect(value: unknown, steps: readonly PropertyKey[]): void {
    const path = formatPath(steps);
    if (isSecret(value)) add(path, `[secret ${value.reference}]`);
    else if (Array.isArray(value)) value.forEach((item, index) => collect(item, [...steps, index]));
    else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) collect(item, [...steps, key]);
    } else if (typeof value === "string" && isPrivateHeader(steps)) add(path, "[hidden]");
    else add(path, value as string | number | boolean | null);
  }

  function add(path: string, value: EffectiveValue["value"]): void {
    values.push({ path, value, origin: loaded.origins.get(path) ?? "default" });
  }
}

/** One line a value: `server.port = 4000  # default`. */
export function renderEffectiveConfig(loaded: LoadedConfig): string {
  const lines = effectiveValues(loaded).map(({ path, value, origin }) => {
    const shown = typeof value === "string" && value.startsWith("[") ? value : JSON.stringify(value);
    return { assignment: `${path} = ${shown}`, origin };
  });
  const width = Math.max(0, ...lines.map((line) => Math.min(line.assignment.length, 60)));
  return lines.map((line) => `${line.assignment.padEnd(width)}  # ${line.origin}\n`).join("");
}

function isSecret(value: unknown): value is { readonly reference: string } {
  return typeof value === "object" && value !== null && "reveal" in value && "reference" in value;
}

/** A header that by its name may hold something private, although known key headers are refused. */
function isPrivateHeader(steps: readonly PropertyKey[]): boolean {
  return (
    steps[0] === "providers" && steps[2] === "headers" && /auth|key|token|secret|pass|cookie/.test(String(steps[3]))
  );
}

import type { LoadedConfig } from "../check.ts";
import { formatPath } from "../file/problem.ts";
import { optionAt } from "../options/options.ts";

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
    if (isSecret(value)) add(steps, `[secret ${value.reference}]`);
    else if (Array.isArray(value)) value.forEach((item, index) => collect(item, [...steps, index]));
    else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) collect(item, [...steps, key]);
    } else if (typeof value === "string" && isPrivateHeader(steps)) add(steps, "[hidden]");
    else add(steps, value as string | number | boolean | null);
  }

  function add(steps: readonly PropertyKey[], value: EffectiveValue["value"]): void {
    values.push({ path: formatPath(steps), value, origin: originOf(steps) ?? "default" });
  }

  function originOf(steps: readonly PropertyKey[]): string | undefined {
    const own = loaded.origins.get(formatPath(steps));
    return own ?? (isShorthand(steps) ? loaded.origins.get(formatPath(steps.slice(0, -1))) : undefined);
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

/** Whether plain text in place of the section around it stands for this value. */
function isShorthand(steps: readonly PropertyKey[]): boolean {
  const section = optionAt(steps.slice(0, -1));
  return section?.node === "group" && section.shorthand === steps.at(-1);
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

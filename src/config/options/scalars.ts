import type { ScalarNode, ScalarType } from "./option.ts";

export type Scalar<Value> = ScalarNode & { readonly default: Value | undefined };

interface Common {
  readonly doc: string;
  readonly absent?: string;
  readonly env?: string;
  readonly flag?: string;
  readonly restart?: boolean;
}

interface Numeric extends Common {
  readonly default: number;
  readonly zero?: string;
  readonly min: number;
  readonly max: number;
}

interface Textual extends Common {
  readonly pattern?: RegExp;
  readonly patternDoc?: string;
}

/** `integer` and `number` are plain; `duration` is in milliseconds and `size` in bytes, both also as text with a unit. */
export function numeric(type: "integer" | "number" | "duration" | "size", declared: Numeric): Scalar<number> {
  return { ...scalar(type, declared), ...declared };
}

export function choice<const Value extends string>(
  choices: readonly Value[],
  declared: Common & { readonly default: NoInfer<Value> },
): Scalar<Value> {
  return { ...scalar("choice", declared), default: declared.default, choices };
}

/** Non-empty text with a default. */
export function text(declared: Textual & { readonly default: string }): Scalar<string> {
  return { ...scalar("text", declared), default: declared.default };
}

/** The most that an amount may be: no million tokens and no request costs more. */
const DOLLARS_MAX = 1_000_000;

/** Dollars with a default. */
export function amount(declared: Common & { readonly default: string }): Scalar<string> {
  return { ...scalar("dollars", declared), default: declared.default };
}

/** Absent is `null`. */
export function nullable(type: ScalarType, declared: Textual): Scalar<string | null> {
  return { ...scalar(type, declared), default: null };
}

/** Absent is `null`. */
export function nullableInteger(
  declared: Common & { readonly min: number; readonly max: number },
): Scalar<number | null> {
  return { ...scalar("integer", declared), ...declared, default: null };
}

/** Must be given wherever its section is written. */
export function required(type: ScalarType, declared: Textual): Scalar<string> {
  return { ...scalar(type, declared), default: undefined, required: true };
}

function scalar(type: ScalarType, declared: Textual): Omit<ScalarNode, "default"> {
  return {
    node: "scalar",
    type,
    doc: declared.doc,
    required: false,
    zero: null,
    absent: declared.absent ?? null,
    min: 0,
    max: type === "dollars" ? DOLLARS_MAX : Number.MAX_SAFE_INTEGER,
    choices: [],
    pattern: declared.pattern ?? null,
    patternDoc: declared.patternDoc ?? null,
    env: declared.env ?? null,
    flag: declared.flag ?? null,
    restart: declared.restart ?? false,
  };
}

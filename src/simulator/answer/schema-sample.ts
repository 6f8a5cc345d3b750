/**
 * Makes a JSON value that is valid for a JSON Schema, for structured output and tool arguments. It knows what the
 * providers' structured output allows: types, `enum`, `const`, `anyOf`/`oneOf`/`allOf`, `$ref` within the document,
 * numeric and length bounds, `format`. Optional properties are filled in while the nesting is shallow and left out
 * below, so that recursive schemas end.
 */
import type { Random } from "./random.ts";

type Schema = Readonly<Record<string, unknown>>;

const DEPTH_FOR_OPTIONAL = 4;
const DEPTH_MAX = 40;

const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "2026-01-15T09:30:00Z",
  date: "2026-01-15",
  time: "09:30:00Z",
  duration: "P1D",
  email: "ada@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  uuid: "123e4567-e89b-42d3-a456-426614174000",
};

const WORDS = ["river", "gate", "water", "mill", "stone", "meadow", "willow", "spring"];

export function sampleSchema(schema: unknown, random: Random): unknown {
  return sampleAt(schema, schema, random, 0);
}

function sampleAt(schema: unknown, root: unknown, random: Random, depth: number): unknown {
  if (!isSchema(schema) || depth > DEPTH_MAX) return null;
  if (typeof schema["$ref"] === "string")
    return sampleAt(resolveReference(root, schema["$ref"]), root, random, depth + 1);
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"]) && schema["enum"].length > 0) return random.pick(schema["enum"] as unknown[]);
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(choices) && choices.length > 0) {
    // Deep down the last alternative is taken: by custom the one that ends a recursion (`null`).
    const choice: unknown = depth > DEPTH_FOR_OPTIONAL ? choices.at(-1) : random.pick(choices as unknown[]);
    return sampleAt(choice, root, random, depth + 1);
  }
  if (Array.isArray(schema["allOf"])) return sampleAt(mergeAll(schema, root), root, random, depth + 1);
  return sampleType(schema, root, random, depth);
}

function sampleType(schema: Schema, root: unknown, random: Random, depth: number): unknown {
  switch (typeOf(schema)) {
    case "object":
      return sampleObject(schema, root, random, depth);
    case "array":
      return sampleArray(schema, root, random, depth);
    case "string":
      return sampleString(schema, random);
    case "integer":
      return Math.ceil(sampleNumber(schema, random, 1));
    case "number":
      return sampleNumber(schema, random, 0.5);
    case "boolean":
      return random.next() < 0.5;
    default:
      return null;
  }
}

/** The declared type (the first that is not `null` of several), or what the keywords imply. */
function typeOf(schema: Schema): string {
  const declared = schema["type"];
  if (typeof declared === "string") return declared;
  if (Array.isArray(declared)) return String(declared.find((type) => type !== "null") ?? "null");
  if ("properties" in schema || "required" in schema) return "object";
  if ("items" in schema) return "array";
  return Object.keys(schema).length === 0 ? "object" : "string";
}

function sampleObject(schema: Schema, root: unknown, random: Random, depth: number): Record<string, unknown> {
  const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"].map(String) : []);
  const value: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(properties)) {
    if (required.has(name) || depth <= DEPTH_FOR_OPTIONAL) value[name] = sampleAt(property, root, random, depth + 1);
  }
  for (const name of required) if (!Object.hasOwn(value, name)) value[name] = "";
  return value;
}

function sampleArray(schema: Schema, root: unknown, random: Random, depth: number): unknown[] {
  const least = readBound(schema["minItems"], 0);
  const most = readBound(schema["maxItems"], Math.max(least, 2));
  const wanted = depth > DEPTH_FOR_OPTIONAL ? least : Math.min(most, Math.max(least, 1 + random.below(2)));
  const prefix = Array.isArray(schema["prefixItems"]) ? (schema["prefixItems"] as unknown[]) : [];
  return Array.from({ length: Math.max(wanted, prefix.length) }, (_, index) =>
    sampleAt(prefix[index] ?? schema["items"] ?? { type: "string" }, root, random, depth + 1),
  );
}

function sampleString(schema: Schema, random: Random): string {
  const format = schema["format"];
  if (typeof format === "string" && FORMATS[format] !== undefined) return FORMATS[format];
  const least = readBound(schema["minLength"], 0);
  const most = readBound(schema["maxLength"], Number.POSITIVE_INFINITY);
  return random.pick(WORDS).padEnd(least, "-").slice(0, most);
}

function sampleNumber(schema: Schema, random: Random, margin: number): number {
  const exclusiveLow = schema["exclusiveMinimum"];
  const exclusiveHigh = schema["exclusiveMaximum"];
  const low =
    typeof exclusiveLow === "number" ? exclusiveLow + margin : readBound(schema["minimum"], Number.NEGATIVE_INFINITY);
  const high =
    typeof exclusiveHigh === "number" ? exclusiveHigh - margin : readBound(schema["maximum"], Number.POSITIVE_INFINITY);
  const step = readBound(schema["multipleOf"], 0);
  const guess = Math.min(high, Math.max(low, 1 + random.below(100)));
  return step > 0 ? Math.ceil(Math.max(low, guess - step) / step) * step : guess;
}

function readBound(value: unknown, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}

/** `#/$defs/name` and other pointers within the document; anything else is an unknown schema (`null`). */
function resolveReference(root: unknown, reference: string): unknown {
  if (reference === "#") return root;
  if (!reference.startsWith("#/")) return null;
  let found: unknown = root;
  for (const part of reference.slice(2).split("/")) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    found = isSchema(found) && Object.hasOwn(found, name) ? found[name] : null;
  }
  return found;
}

function mergeAll(schema: Schema, root: unknown): Schema {
  const { allOf, ...own } = schema;
  let merged: Schema = own;
  for (const entry of allOf as unknown[]) {
    const part = isSchema(entry) && typeof entry["$ref"] === "string" ? resolveReference(root, entry["$ref"]) : entry;
    if (!isSchema(part)) continue;
    merged = {
      ...merged,
      ...part,
      properties: { ...(merged["properties"] as object | undefined), ...(part["properties"] as object | undefined) },
      required: [...listOf(merged["required"]), ...listOf(part["required"])],
    };
  }
  return merged;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import { z } from "zod";
import { fileSchema } from "../options/schema.ts";

/**
 * The JSON Schema of the file, for editors (`schema/config.schema.json`). It says what the loader's own schema says;
 * what only the loader can know (whether a provider exists, a secret is set) it leaves to the loader.
 */
export function renderConfigSchema(): string {
  const schema = z.toJSONSchema(fileSchema, { io: "input", override: ({ jsonSchema }) => adapt(jsonSchema) });
  const { $schema, ...rest } = schema;
  return `${JSON.stringify({ $schema, title: "headgate.yaml", ...rest }, null, 2)}\n`;
}

/** The liberties of the file that are taken before the schema sees it; see `spellOut`. */
function adapt(schema: z.core.JSONSchema.BaseSchema): void {
  const hasShorthand = schema["shorthand"] === true;
  if (schema["shownDefault"] !== undefined) schema.default = schema["shownDefault"];
  delete schema["shorthand"];
  delete schema["shownDefault"];
  if (schema.default === null || isEmptyObject(schema.default)) delete schema.default;
  if (schema.type === "object")
    schema["type"] = (hasShorthand ? ["object", "string", "null"] : ["object", "null"]) as never;
  if (schema.type === "array" && schema.minItems === undefined) schema["type"] = ["array", "null"] as never;
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

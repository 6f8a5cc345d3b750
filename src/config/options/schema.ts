import { z } from "zod";
import { parseUsd } from "../../kernel/money.ts";
import type { ModelConfig } from "../config.ts";
import { modelsOption } from "./models.ts";
import type { OptionNode, ScalarNode } from "./option.ts";
import { type ConfigFile, configOptions } from "./options.ts";
import { type ProviderInFile, providersOption } from "./providers.ts";
import { durationPattern, formatDecimal, parseDuration, parseSize, sizePattern } from "./units.ts";

/** `env:NAME` or `file:PATH` */
export const secretPattern: RegExp = /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/;

/**
 * The schema of the file as `spellOut` leaves it. It fills in every default.
 * The declaration's type ties it to `ConfigFile`; the schema is built from it node by node, out of the checker's sight.
 */
export const fileSchema: z.ZodType<ConfigFile> = schemaOf(configOptions) as z.ZodType<ConfigFile>;

/** The schema of one entry of `providers`. */
export const providerSchema: z.ZodType<ProviderInFile> = schemaOf(providersOption.value) as z.ZodType<ProviderInFile>;

/** The schema of one entry of `models`, with or without targets. */
export const modelSchema: z.ZodType<ModelConfig> = schemaOf({
  ...modelsOption.value,
  fields: { ...modelsOption.value.fields, targets: { ...modelsOption.value.fields.targets, min: 0 } },
}) as z.ZodType<ModelConfig>;

/** The schema of one option, without its default. */
export function schemaOf(option: OptionNode): z.ZodType {
  switch (option.node) {
    case "scalar":
      return scalarSchema(option).meta({ description: option.doc, ...shownDefault(option) });
    case "group": {
      const fields = Object.entries(option.fields).map(([name, field]) => [name, fieldSchema(field)]);
      const description = { description: option.doc, ...(option.shorthand === null ? {} : { shorthand: true }) };
      return z.strictObject(Object.fromEntries(fields) as z.ZodRawShape).meta(description);
    }
    case "dictionary":
      // The pattern is for editors; `misnamed` checks it, because the schema would skip what is under a refused name.
      return z
        .record(z.string().meta({ pattern: option.keyPattern.source }), schemaOf(option.value))
        .meta({ description: option.doc });
    case "list":
      return z.array(schemaOf(option.item)).min(option.min).meta({ description: option.doc });
  }
}

function fieldSchema(option: OptionNode): z.ZodType {
  const schema = schemaOf(option);
  if (option.node === "group") return schema.prefault({});
  if (option.node === "dictionary") return schema.default({});
  if (option.node === "list") return option.min > 0 ? schema : schema.default([]);
  if (option.required) return schema;
  return option.default === undefined ? schema.optional() : schema.default(option.default);
}

/** For editors: zod itself leaves the default out where the schema transforms the value. */
function shownDefault({ default: value }: ScalarNode): { readonly shownDefault?: string | number } {
  return value === undefined || value === null || value === "" ? {} : { shownDefault: value };
}

function scalarSchema(option: ScalarNode): z.ZodType {
  const inRange = z.int().min(option.min).max(option.max);
  switch (option.type) {
    case "integer":
      return inRange;
    case "number":
      return z.number().min(option.min).max(option.max);
    case "duration":
      return z.union([inRange, z.string().regex(durationPattern).transform(parseDuration).pipe(inRange)]);
    case "size":
      return z.union([inRange, z.string().regex(sizePattern).transform(parseSize).pipe(inRange)]);
    case "choice":
      return z.enum(option.choices);
    case "text":
      return option.pattern === null ? z.string().min(1) : z.string().regex(option.pattern);
    case "secret":
      return z.string().regex(secretPattern);
    case "target":
      return z.string().regex(/^[^/\s]+\/\S+$/);
    case "baseUrl":
      return z
        .string()
        .regex(/^https?:\/\/[^\s?#@]+$/)
        .refine((url) => URL.canParse(url))
        .transform(withoutTrailingSlash);
    case "dollars":
      return z
        .union([z.number().min(0).max(option.max), z.string()])
        .transform((amount) => (typeof amount === "number" ? formatDecimal(amount) : amount))
        .refine((amount) => isAmount(amount, option.max));
  }
}

function isAmount(text: string, maxDollars: number): boolean {
  const amount = parseUsd(text);
  return amount !== null && amount <= BigInt(maxDollars) * 1_000_000_000n;
}

function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

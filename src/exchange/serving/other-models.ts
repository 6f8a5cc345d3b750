/**
 * Models that may serve a request in the place of the one it asks for, or beside it, because a field of its body says so to
 * the provider. They are read whoever the provider is: what speaks a dialect may be another gateway behind an address of
 * the operator's, and one that does not know a field refuses or ignores it.
 *
 *   models                        OpenRouter: tried in order (https://openrouter.ai/docs/guides/routing/model-fallbacks)
 *   route, preset                 OpenRouter: its own choice, or what is set there
 *   plugins, tools                OpenRouter: a panel of models (`fusion`), a model that the model asks (`openrouter:advisor`)
 *   fallbacks                     Anthropic (beta): tried where a model refuses, a list or `default`; may set `max_tokens`
 *   tools[].model                 Anthropic: the advisor's
 *   providerOptions.gateway       Vercel: `models` are tried in order
 *   compound_custom.models        Groq: what its systems are made of
 */
import type { JsonDocument } from "../../kernel/json-document.ts";

export interface OtherModels {
  readonly named: readonly NamedModel[];
  /** The first field that leaves the choice to the provider; `null`: none does. */
  readonly openField: string | null;
  /** The largest bound on output that a field sets for one of them; 0: none does. */
  readonly outputTokens: number;
}

export interface NamedModel {
  /** `models[1]` */
  readonly field: string;
  /** The provider's own name of it. */
  readonly name: string;
}

type Fields = Readonly<Record<string, unknown>>;

interface Reading {
  readonly named: NamedModel[];
  openField: string | null;
  outputTokens: number;
}

/** `null`: no field of the request speaks of other models. */
export function otherModels({ root }: Pick<JsonDocument, "root">): OtherModels | null {
  const reading: Reading = { named: [], openField: null, outputTokens: 0 };
  readList(reading, "models", root["models"]);
  readList(reading, "fallbacks", root["fallbacks"]);
  readList(
    reading,
    "providerOptions.gateway.models",
    asFields(asFields(root["providerOptions"])?.["gateway"])?.["models"],
  );
  readParts(reading, root["compound_custom"]);
  readPlugins(reading, root["plugins"]);
  readTools(reading, root["tools"]);
  if (isSaid(root["preset"])) reading.openField ??= "preset";
  // With a list it says that the list is to be used.
  if (isSaid(root["route"]) && !isSaid(root["models"])) reading.openField ??= "route";
  return reading.named.length === 0 && reading.openField === null ? null : reading;
}

/** What is no list of names leaves everything open: the provider may read something into it. */
function readList(reading: Reading, field: string, value: unknown): void {
  if (!isSaid(value)) return;
  if (!Array.isArray(value)) {
    reading.openField ??= field;
    return;
  }
  for (const [index, entry] of (value as readonly unknown[]).entries()) {
    readEntry(reading, `${field}[${index}]`, entry);
  }
}

/** A name, or an object with one. */
function readEntry(reading: Reading, field: string, entry: unknown): void {
  if (typeof entry === "string") {
    reading.named.push({ field, name: entry });
    return;
  }
  const fields = asFields(entry);
  const name = fields?.["model"];
  if (typeof name !== "string") {
    reading.openField ??= field;
    return;
  }
  reading.named.push({ field: `${field}.model`, name });
  for (const bound of [fields?.["max_tokens"], fields?.["max_completion_tokens"]]) {
    if (typeof bound === "number" && bound > reading.outputTokens) reading.outputTokens = Math.ceil(bound);
  }
}

function readParts(reading: Reading, value: unknown): void {
  const models = asFields(asFields(value)?.["models"]);
  for (const [part, name] of Object.entries(models ?? {})) {
    if (isSaid(name)) readEntry(reading, `compound_custom.models.${part}`, name);
  }
}

/** A panel's calls are billed together, so no one of its models is a bound. */
function readPlugins(reading: Reading, plugins: unknown): void {
  if (!Array.isArray(plugins)) return;
  const index = (plugins as readonly unknown[]).findIndex((plugin) => {
    const fields = asFields(plugin);
    return fields?.["id"] === "fusion" && fields["enabled"] !== false;
  });
  if (index !== -1) reading.openField ??= `plugins[${index}]`;
}

/** OpenRouter's tools that ask models: which one, if the request does not say so, is its choice. */
const askingTool = /^openrouter:(?:.*(?:advisor|subagent|fusion))/;

function readTools(reading: Reading, tools: unknown): void {
  if (!Array.isArray(tools)) return;
  for (const [index, tool] of (tools as readonly unknown[]).entries()) {
    const fields = asFields(tool);
    const type = fields?.["type"];
    if (typeof type !== "string" || type === "function" || type === "custom") continue;
    const own = fields?.["model"];
    const given = asFields(fields?.["parameters"])?.["model"];
    if (typeof own === "string") reading.named.push({ field: `tools[${index}].model`, name: own });
    else if (typeof given === "string") reading.named.push({ field: `tools[${index}].parameters.model`, name: given });
    if (askingTool.test(type) && (typeof given !== "string" || type.endsWith("fusion"))) {
      reading.openField ??= `tools[${index}]`;
    }
  }
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

function asFields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** OpenRouter's routers (`openrouter/auto`) and presets (`@preset/name`): what is called is not what serves. */
const choosingModel = /^openrouter\/|@preset\//;

/** Whether a model of this name is the provider's own choice of another. */
export function isChoice(model: string): boolean {
  return choosingModel.test(model);
}

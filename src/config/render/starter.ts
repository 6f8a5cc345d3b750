import { optionAt } from "../options/options.ts";

export interface StarterOptions {
  /** A path or address of the JSON Schema, for editors; `null` leaves the line out. */
  readonly schema: string | null;
  /** Providers to begin with and the variable each finds its key in: `{ name: "openai", variable: "OPENAI_API_KEY" }`. */
  readonly providers: readonly { readonly name: string; readonly variable: string }[];
}

/** A file for `headgate init`: the options that people change, each at its default and explained. */
export function renderStarterConfig({ schema, providers }: StarterOptions): string {
  const lines = [
    ...(schema === null ? [] : [`# yaml-language-server: $schema=${schema}`]),
    "# Headgate reads this file at start and again whenever it changes. `headgate config check` checks it,",
    "# `headgate config print` shows what is in force and where it came from. Uncomment what is to differ.",
    "",
    "server:",
    ...setting("server", "host"),
    ...setting("server", "port"),
    "",
    "storage:",
    ...setting("storage", "dataDir"),
    ...setting("storage", "durability"),
    "",
    "# Keys are referred to, never written here: `env:NAME` or `file:PATH`.",
    "providers:",
    ...providers.flatMap(({ name, variable }) => [`  ${name}:`, `    key: env:${variable}`]),
    "  # A server of your own that speaks OpenAI's API:",
    "  #local:",
    "  #  kind: openai-compatible",
    "  #  baseUrl: http://127.0.0.1:8000/v1",
    "  #  models: [my-model]",
    "",
    "# Names that callers may ask for instead of `provider/model`.",
    "models:",
    "  #fast:",
    "  #  targets: [openai/gpt-5-mini]",
    "  #shared:",
    "  #  targets:",
    "  #    - { model: openai/gpt-5, weight: 9 }",
    "  #    - { model: anthropic/claude-sonnet-4-5, weight: 1 }",
    "",
    "telemetry:",
    ...setting("telemetry", "logLevel"),
    "",
  ];
  return lines.join("\n");
}

/** The option at its default, commented out so that a later release may better it, under its explanation. */
function setting(section: string, name: string): readonly string[] {
  const option = optionAt([section, name]);
  if (option?.node !== "scalar") return [];
  return [...wrap(option.doc, 110).map((line) => `  # ${line}`), `  #${name}: ${String(option.default)}`];
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

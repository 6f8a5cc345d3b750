/** The reference page of the configuration, `docs/reference/configuration.md`, made from the declaration alone. */
import { expectation } from "../options/expectation.ts";
import type { OptionNode, ScalarNode } from "../options/option.ts";
import { configOptions, settableOptions } from "../options/options.ts";
import { formatDuration, formatSize } from "../options/units.ts";

const introduction = `# Configuration

<!-- Generated from src/config/options by \`npm run generate\`. -->

Headgate reads \`headgate.yaml\` in the working directory, or the file named by \`--config\` or \`HEADGATE_CONFIG\`. JSON is
accepted, being YAML. Without a file everything has its default, and providers whose key is in the environment
(\`OPENAI_API_KEY\`, \`ANTHROPIC_API_KEY\`, …) are configured by themselves.

- **Precedence**: flag, then environment variable, then file, then default. \`headgate config print\` shows every value in
  force and where it came from.
- **Checking**: \`headgate config check\` names every problem with path, line, column and remedy. Unknown keys and keys
  written twice are refused. Aliases (\`*name\`) are not supported.
- **Secrets** are never written into the file but referred to: \`env:NAME\` or \`file:PATH\`. A relative path starts at the
  file's folder. One trailing newline is left out. A file that others than its owner can read gives a warning.
- **Durations and sizes**: a plain number is in the unit of the name (\`…Ms\`: milliseconds, \`…Bytes\`: bytes). Text carries
  its unit: \`500ms\`, \`30s\`, \`5m\`, \`1h\`; \`64kB\`, \`10MB\`, \`1GB\` are powers of 1000, \`64KiB\`, \`10MiB\`, \`1GiB\` of 1024.
- **Empty sections**: \`providers:\` with nothing under it is an empty section. A single value left empty is refused.
- **Reload**: a changed file, or SIGHUP, is checked as a whole and then takes effect for new requests, or is refused and
  nothing changes. Options that say so keep their value until the next start.
- **Editors** complete the file when it begins with \`# yaml-language-server: $schema=PATH\`, where PATH leads to
  \`schema/config.schema.json\`.
`;

/** The page in Markdown, ending in a line feed. */
export function renderConfigReference(): string {
  const sections = Object.entries(configOptions.fields)
    .filter(([name]) => name !== "$schema")
    .map(
      ([name, option]) =>
        `## ${name}\n\n${option.node === "group" ? `${option.doc}\n\n` : ""}${renderFields(name, option)}`,
    );
  return [introduction, ...sections].join("\n");
}

function renderFields(path: string, option: OptionNode): string {
  switch (option.node) {
    case "scalar":
      return renderScalar(path, option);
    case "group":
      if (option.sameAs !== null) return renderRepeated(path, option.doc, option.sameAs, Object.values(option.fields));
      return Object.entries(option.fields)
        .map(([name, field]) => renderFields(`${path}.${name}`, field))
        .join("");
    case "dictionary":
      return renderMembers(`${path}.${option.keyName}`, `${option.doc} Names: ${option.keyDoc}.`, option.value);
    case "list":
      return renderMembers(`${path}[]`, option.doc, option.item);
  }
}

/** What a dictionary or list holds: one line if that is a single value, else a line and its fields. */
function renderMembers(path: string, doc: string, member: OptionNode): string {
  if (member.node === "scalar") return renderScalar(path, { ...member, doc: `${doc} ${member.doc}` });
  if (member.node === "group" && member.sameAs !== null) {
    return renderRepeated(path, `${doc} ${member.doc}`, member.sameAs, Object.values(member.fields));
  }
  return `- **\`${path}\`**: ${doc} ${member.doc}\n${renderFields(path, member)}`;
}

function renderRepeated(path: string, doc: string, sameAs: string, fields: readonly OptionNode[]): string {
  const meanings = new Set(fields.flatMap((field) => (field.node === "scalar" ? (field.absent ?? []) : [])));
  const absent = meanings.size === 1 ? ` Absent ones: ${[...meanings].join("")}.` : "";
  return `- **\`${path}\`**: ${doc}\n  The keys are those of \`${sameAs}\`.${absent}\n`;
}

function renderScalar(path: string, option: ScalarNode): string {
  const settable = settableOptions().find((candidate) => candidate.path === path);
  const ways = settable === undefined ? [] : [settable.env, ...(settable.flag === null ? [] : [`--${settable.flag}`])];
  const facts = [
    `${valueOf(option)}.`,
    whenAbsent(option),
    option.zero === null ? "" : `0: ${option.zero}.`,
    ways.length === 0 ? "" : `Set by ${ways.map((way) => `\`${way}\``).join(", ")}.`,
    option.restart ? "Takes effect at the next start." : "",
  ];
  const details = facts.filter((fact) => fact !== "").join(" ");
  return `- **\`${path}\`**: ${option.doc}\n  ${details.charAt(0).toUpperCase()}${details.slice(1)}\n`;
}

/** Shorter than in a complaint: the page's introduction says how durations and sizes are written. */
function valueOf(option: ScalarNode): string {
  if (option.type === "duration")
    return `a duration from ${formatDuration(option.min)} to ${formatDuration(option.max)}`;
  if (option.type === "size") return `a size from ${formatSize(option.min)} to ${formatSize(option.max)}`;
  return expectation(option);
}

function whenAbsent(option: ScalarNode): string {
  if (option.required) return "Required.";
  if (option.absent !== null) return `Absent: ${option.absent}.`;
  if (option.default === null || option.default === "") return "";
  return `Default: \`${String(option.default)}\`${inWords(option)}.`;
}

function inWords(option: ScalarNode): string {
  if (option.type === "duration") return ` (${formatDuration(Number(option.default))})`;
  return option.type === "size" ? ` (${formatSize(Number(option.default))})` : "";
}

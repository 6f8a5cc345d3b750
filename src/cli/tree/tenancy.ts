/** Tenants, projects and keys: who may use the gateway, and who is charged. */
import { command, group, type GroupNode, type Parameter } from "../command.ts";
import type {
  KeyCreateOptions,
  KeyListOptions,
  KeyReferenceOptions,
  KeyRotateOptions,
} from "../commands/tenancy/keys.ts";
import type { ProjectNameOptions, ProjectRenameOptions, ProjectScopeOptions } from "../commands/tenancy/projects.ts";
import type { TenantNameOptions, TenantRenameOptions } from "../commands/tenancy/tenants.ts";
import { flag, optionalText, parsed, text } from "../parameters.ts";
import { type Moment, durationNotation, momentNotation, parseDistanceMs, parseMoment } from "../values/moment.ts";
import { pairs, patterns } from "../values/pairs.ts";

const tenantJson = "`id`, `name`, `state` (enabled or disabled), `createdAt`, `disabledAt`.";
const projectJson = `${tenantJson.slice(0, -1)}, \`tenant\` (\`id\` and \`name\`).`;
const keyJson =
  "`id`, `prefix`, `name`, `state` (active, expired or revoked), `tenant`, `project`, `createdAt`, `expiresAt`, `revokedAt`, `lastUsedAt`, `models`, `metadata`.";

const tenantName = text("<tenant>", "Name or id of the tenant.");
const projectName = text("<project>", "Name or id of the project.");
const tenantScope = optionalText("--tenant <tenant>", "Name or id of the tenant. Default: the only one there is.");
const projectScope = optionalText("--project <project>", "Name or id of the project. Default: the only one there is.");
const newName = text("<name>", "Letters, digits, dots, hyphens and underscores; at most 63.");

export const tenantGroup: GroupNode = group("tenant", "Manage tenants: who is isolated from whom.", [
  command<TenantNameOptions>({
    name: "create",
    purpose: "Create a tenant.",
    parameters: { name: newName },
    configFlags: "place",
    examples: [
      { line: "tenant create acme", what: "A tenant called acme" },
      { line: "tenant create acme --json", what: "The same, and its id for a script" },
    ],
    json: tenantJson,
    load: async () => (await import("../commands/tenancy/tenants.ts")).create,
  }),
  command<Readonly<Record<never, never>>>({
    name: "list",
    purpose: "List all tenants.",
    parameters: {},
    configFlags: "place",
    examples: [
      { line: "tenant list", what: "As a table" },
      { line: "tenant list --json", what: "As JSON" },
    ],
    json: `\`tenants\`, each with ${tenantJson}`,
    load: async () => (await import("../commands/tenancy/tenants.ts")).list,
  }),
  command<TenantRenameOptions>({
    name: "rename",
    purpose: "Give a tenant another name; its id, keys and records stay.",
    parameters: { tenant: tenantName, name: newName },
    configFlags: "place",
    examples: [{ line: "tenant rename acme acme-europe", what: "From acme to acme-europe" }],
    json: tenantJson,
    load: async () => (await import("../commands/tenancy/tenants.ts")).rename,
  }),
  command<TenantNameOptions>({
    name: "disable",
    purpose: "Refuse every key of a tenant from the next request on.",
    parameters: { name: tenantName },
    configFlags: "place",
    examples: [{ line: "tenant disable acme", what: "Shut acme out; `headgate tenant enable acme` lets it in again" }],
    json: tenantJson,
    load: async () => (await import("../commands/tenancy/tenants.ts")).disable,
  }),
  command<TenantNameOptions>({
    name: "enable",
    purpose: "Accept the keys of a disabled tenant again.",
    parameters: { name: tenantName },
    configFlags: "place",
    examples: [{ line: "tenant enable acme", what: "Let acme in again" }],
    json: tenantJson,
    load: async () => (await import("../commands/tenancy/tenants.ts")).enable,
  }),
]);

export const projectGroup: GroupNode = group("project", "Manage projects: what a tenant's keys and costs belong to.", [
  command<ProjectNameOptions>({
    name: "create",
    purpose: "Create a project in a tenant.",
    parameters: { name: newName, tenant: tenantScope },
    configFlags: "place",
    examples: [
      { line: "project create search", what: "In the only tenant" },
      { line: "project create search --tenant acme", what: "In the tenant acme" },
    ],
    json: projectJson,
    load: async () => (await import("../commands/tenancy/projects.ts")).create,
  }),
  command<ProjectScopeOptions>({
    name: "list",
    purpose: "List projects, of all tenants or of one.",
    parameters: { tenant: optionalText("--tenant <tenant>", "Name or id of the tenant. Default: all of them.") },
    configFlags: "place",
    examples: [
      { line: "project list", what: "Of all tenants" },
      { line: "project list --tenant acme --json", what: "Of acme, as JSON" },
    ],
    json: `\`projects\`, each with ${projectJson}`,
    load: async () => (await import("../commands/tenancy/projects.ts")).list,
  }),
  command<ProjectRenameOptions>({
    name: "rename",
    purpose: "Give a project another name; its id, keys and records stay.",
    parameters: { project: projectName, name: newName, tenant: tenantScope },
    configFlags: "place",
    examples: [{ line: "project rename search retrieval --tenant acme", what: "From search to retrieval" }],
    json: projectJson,
    load: async () => (await import("../commands/tenancy/projects.ts")).rename,
  }),
  command<ProjectNameOptions>({
    name: "disable",
    purpose: "Refuse every key of a project from the next request on.",
    parameters: { name: projectName, tenant: tenantScope },
    configFlags: "place",
    examples: [{ line: "project disable search --tenant acme", what: "Shut its keys out" }],
    json: projectJson,
    load: async () => (await import("../commands/tenancy/projects.ts")).disable,
  }),
  command<ProjectNameOptions>({
    name: "enable",
    purpose: "Accept the keys of a disabled project again.",
    parameters: { name: projectName, tenant: tenantScope },
    configFlags: "place",
    examples: [{ line: "project enable search --tenant acme", what: "Let its keys in again" }],
    json: projectJson,
    load: async () => (await import("../commands/tenancy/projects.ts")).enable,
  }),
]);

const expires: Parameter<Moment | null> = parsed(
  "--expires <when>",
  `When the key stops working: ${momentNotation}. Default: never.`,
  momentNotation,
  parseMoment,
);

export const keyGroup: GroupNode = group("key", "Manage API keys: what callers present.", [
  command<KeyCreateOptions>({
    name: "create",
    purpose: "Create an API key and print it, once.",
    details: "Only a hash is stored: a key that is lost cannot be shown again, only replaced.",
    parameters: {
      name: text("--name <name>", "What the key is called in lists and reports."),
      project: projectScope,
      tenant: tenantScope,
      expires,
      models: patterns(
        "--models <patterns>",
        "Models the key may use, separated by commas; * stands for any characters. Default: all.",
      ),
      metadata: pairs("--metadata <name=value>", "Something to remember with the key; may be given several times."),
    },
    configFlags: "place",
    examples: [
      { line: "key create --name alice", what: "In the only project" },
      {
        line: "key create --tenant acme --project search --name ci --expires 30d",
        what: "For a month, in acme's search",
      },
      { line: "key create --name batch --models 'openai/*,fast' --metadata team=data", what: "For some models only" },
    ],
    json: `\`key\`, the key itself, and ${keyJson}`,
    load: async () => (await import("../commands/tenancy/keys.ts")).create,
  }),
  command<KeyListOptions>({
    name: "list",
    purpose: "List API keys, without the keys themselves.",
    parameters: {
      tenant: optionalText("--tenant <tenant>", "Only keys of this tenant."),
      project: optionalText("--project <project>", "Only keys of this project."),
      all: flag("--all", "Also keys that are expired or revoked."),
    },
    configFlags: "place",
    examples: [
      { line: "key list", what: "Keys in force" },
      { line: "key list --all --json", what: "Every key there ever was, as JSON" },
    ],
    json: `\`keys\`, each with ${keyJson}`,
    load: async () => (await import("../commands/tenancy/keys.ts")).list,
  }),
  command<KeyReferenceOptions>({
    name: "revoke",
    purpose: "Refuse a key from the next request on, in every process.",
    parameters: { key: text("<key>", "Id, visible prefix or name of the key.") },
    configFlags: "place",
    examples: [
      { line: "key revoke hg-3fKq9", what: "By its visible prefix" },
      { line: "key revoke alice --json", what: "By its name" },
    ],
    json: keyJson,
    load: async () => (await import("../commands/tenancy/keys.ts")).revoke,
  }),
  command<KeyRotateOptions>({
    name: "rotate",
    purpose: "Replace a key by a new one like it, and print the new one, once.",
    parameters: {
      key: text("<key>", "Id, visible prefix or name of the key."),
      overlapMs: parsed(
        "--overlap <duration>",
        `How long the old key goes on working: ${durationNotation}. Default: it is revoked at once.`,
        durationNotation,
        parseDistanceMs,
      ),
    },
    configFlags: "place",
    examples: [
      { line: "key rotate alice --overlap 24h", what: "The old key works for another day" },
      { line: "key rotate hg-3fKq9", what: "The old key stops working now" },
    ],
    json: `\`key\`, the new key itself, and ${keyJson}`,
    load: async () => (await import("../commands/tenancy/keys.ts")).rotate,
  }),
]);

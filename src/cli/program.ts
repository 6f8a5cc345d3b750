/**
 * Makes commander's program from the declared tree. Commander splits the command line, writes help and suggests near
 * names; what a value means is decided here, by the parameter's own `take`, so that every complaint has one form.
 */
import { Command, Option } from "commander";
import { HeadgateError } from "../kernel/errors.ts";
import { nearest } from "../kernel/nearest.ts";
import type { CommandNode, GroupNode, Parameter, TreeNode } from "./command.ts";
import { configFlagSet, type SharedFlag } from "./config-flags.ts";

/** A command line that was understood. */
export interface Parsed {
  readonly node: CommandNode;
  readonly options: Readonly<Record<string, unknown>>;
  readonly configFlags: Readonly<Record<string, string>>;
}

export interface ProgramOptions {
  readonly tree: readonly TreeNode[];
  readonly version: string;
  readonly writeOut: (text: string) => void;
  readonly onParsed: (parsed: Parsed) => void;
}

export const globalFlags: readonly SharedFlag[] = [
  { syntax: "--json", doc: "Print one JSON document on stdout, and errors as JSON on stderr.", choices: [] },
  { syntax: "--debug", doc: "Show stack traces of errors. Variable HEADGATE_DEBUG.", choices: [] },
];

const PURPOSE = "Self-hosted AI gateway: any client, any model provider, exact money.";

/** Parsing throws `CommanderError` or `HeadgateError`, also (with exit code 0) after help was written. */
export function createProgram(options: ProgramOptions): Command {
  const program = prepare(new Command("headgate"), options).description(PURPOSE);
  program.version(`headgate ${options.version}`, "--version", "Print the version.");
  addFlags(program, "Global options:", globalFlags);
  for (const node of options.tree) {
    program.addCommand(node.kind === "group" ? createGroup(node, options) : createCommand(node, options));
  }
  chooseCommand(program, options.tree, () => program.help());
  return program.addHelpText(
    "after",
    "\nRun `headgate help <command>` for examples, `headgate help exit-codes` for exit codes.",
  );
}

function createGroup(node: GroupNode, options: ProgramOptions): Command {
  const group = prepare(new Command(node.name), options).description(node.purpose);
  addFlags(group, "Global options:", globalFlags);
  for (const child of node.commands) group.addCommand(createCommand(child, options));
  chooseCommand(group, node.commands, () => {
    const names = node.commands.map(({ name }) => name).join(", ");
    throw new HeadgateError("invalid_argument", `\`headgate ${node.name}\` needs a command, one of: ${names}.`);
  });
  return group;
}

/** What happens when the word after a group names none of its commands, or there is no word. */
function chooseCommand(group: Command, nodes: readonly TreeNode[], onNone: () => void): void {
  group.argument("[command]").usage("<command> [options]");
  group.action((given: string | undefined) => {
    if (given === undefined) return onNone();
    const names = nodes.map(({ name }) => name);
    const near = nearest(given, names, 1);
    const hint = near.length > 0 ? `Did you mean "${near.join()}"?` : `One of: ${names.join(", ")}.`;
    throw new HeadgateError("invalid_argument", `${group.name()} has no command "${given}". ${hint}`, { param: given });
  });
}

function createCommand(node: CommandNode, options: ProgramOptions): Command {
  const command = prepare(new Command(node.name), options).summary(node.purpose);
  command.description(node.details === undefined ? node.purpose : `${node.purpose}\n\n${node.details}`);
  const positional: string[] = [];
  const attributes = new Map<string, string>();
  for (const [key, parameter] of Object.entries(node.parameters)) {
    if (parameter.syntax.startsWith("-")) {
      const option = toOption(parameter);
      if (parameter.required) option.makeOptionMandatory();
      command.addOption(option);
      attributes.set(option.attributeName(), key);
    } else {
      command.argument(parameter.syntax, parameter.doc);
      positional.push(key);
    }
  }
  for (const child of node.commands) command.addCommand(createCommand(child, options));
  const overrides = addFlags(command, "Configuration:", configFlagSet(node.configFlags));
  addFlags(command, "Global options:", globalFlags);
  command.addHelpText("after", `\n${renderExamples(node)}\nWith --json:\n  ${node.json}`);
  command.action((...given: unknown[]) => {
    const raw = command.opts<Readonly<Record<string, unknown>>>();
    const texts: Record<string, unknown> = {};
    for (const [attribute, key] of attributes) texts[key] = raw[attribute];
    for (const [index, key] of positional.entries()) texts[key] = given[index];
    const flags = overrides.flatMap((name) => (raw[name] === undefined ? [] : [[name, textsOf(raw[name]).at(-1)]]));
    options.onParsed({
      node,
      options: readParameters(node.parameters, texts),
      configFlags: Object.fromEntries(flags) as Record<string, string>,
    });
  });
  return command;
}

function prepare(command: Command, options: ProgramOptions): Command {
  return command
    .exitOverride()
    .configureOutput({ writeOut: options.writeOut, writeErr: () => {}, outputError: () => {} })
    .helpCommand(false)
    .helpOption("-h, --help", "Show this help.")
    .allowExcessArguments(false)
    .enablePositionalOptions()
    .showSuggestionAfterError(true);
}

/** Returns the attribute names of the flags. */
function addFlags(command: Command, heading: string, flags: readonly SharedFlag[]): readonly string[] {
  return flags.map((flag) => {
    const option = toOption(flag).helpGroup(heading);
    command.addOption(option);
    return option.attributeName();
  });
}

/** Values are kept as they were given, in order, when an option is repeated. */
function toOption({ syntax, doc }: Pick<Parameter<unknown>, "syntax" | "doc">): Option {
  const option = new Option(syntax, doc);
  return option.flags.includes("<") ? option.argParser(collect) : option;
}

function collect(text: string, previous: unknown): readonly unknown[] {
  return [...(Array.isArray(previous) ? (previous as readonly unknown[]) : []), text];
}

function readParameters(
  parameters: Readonly<Record<string, Parameter<unknown>>>,
  texts: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(parameters).map(([key, parameter]) => {
    return [key, textsOf(texts[key]).reduce((value, text) => takeText(parameter, text, value), parameter.absent)];
  });
  return Object.fromEntries(entries) as Readonly<Record<string, unknown>>;
}

/** What commander keeps: nothing, one text, several, or `true` for a flag, which takes no text. */
function textsOf(raw: unknown): readonly string[] {
  if (raw === undefined) return [];
  if (Array.isArray(raw)) return raw.map(String);
  return [typeof raw === "string" ? raw : ""];
}

function takeText(parameter: Parameter<unknown>, text: string, previous: unknown): unknown {
  const value = parameter.take(text, previous);
  if (value !== undefined) return value;
  const name = parameter.syntax.startsWith("-") ? (parameter.syntax.split(" ")[0] ?? "") : parameter.syntax;
  const near = nearest(text, parameter.choices, 1);
  const hint = near.length > 0 ? ` Did you mean ${near.join()}?` : "";
  const message = `${name} must be ${parameter.expected}, not ${JSON.stringify(text)}.${hint}`;
  throw new HeadgateError("invalid_argument", message, { param: name.replace(/[<>[\].]/g, "") });
}

function renderExamples(node: CommandNode): string {
  return `Examples:\n${node.examples.map(({ line, what }) => `  # ${what}\n  headgate ${line}\n`).join("")}`;
}

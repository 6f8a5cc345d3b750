/**
 * How a command is declared: as data, with the code behind it loaded only when it runs. Help, completion scripts and
 * the reference page are all made from these declarations. The types tie a declaration to the options its code takes.
 */
import type { CliContext } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Output } from "./output.ts";

/** What a command is given. */
export interface Invocation<Options> {
  readonly context: CliContext;
  readonly output: Output;
  readonly options: Options;
  /** `--config` and the flags that override the configuration, as given, by attribute name: `dataDir` for `--data-dir`. */
  readonly configFlags: Readonly<Record<string, string>>;
  /** All commands: for those that describe the others. */
  readonly tree: readonly TreeNode[];
}

export type Run<Options> = (invocation: Invocation<Options>) => Promise<ExitCode>;

/** One option or argument. */
export interface Parameter<Value> {
  /** `--since <when>`, `--force`, `<name>` or `[topic...]`, in commander's notation. */
  readonly syntax: string;
  readonly doc: string;
  /** The value when it is not given. */
  readonly absent: Value;
  /** Adds one given text to the value so far; `undefined` if the text cannot be used. */
  readonly take: (text: string, previous: Value) => Value | undefined;
  /** What a text must be, to follow "must be". */
  readonly expected: string;
  /** All there is to choose from, for completion and suggestions; empty where anything goes. */
  readonly choices: readonly string[];
  readonly required: boolean;
}

export type Parameters<Options> = { readonly [Key in keyof Options]: Parameter<Options[Key]> };

export interface Example {
  /** Without the leading `headgate`. */
  readonly line: string;
  /** What it does, as a short sentence without a full stop. */
  readonly what: string;
}

/** `none`; `place`: `--config` and `--data-dir`; `all`: every flag that the configuration declares. */
export type ConfigFlagSet = "none" | "place" | "all";

export interface CommandDeclaration<Options> {
  readonly name: string;
  /** One sentence. */
  readonly purpose: string;
  /** What else a person must know to use it. */
  readonly details?: string;
  readonly parameters: Parameters<Options>;
  readonly configFlags: ConfigFlagSet;
  readonly examples: readonly Example[];
  /** What `--json` prints: its fields, in one or two sentences. */
  readonly json: string;
  /** Commands below this one, which is a command itself: `usage` and `usage reconcile`. Default none. */
  readonly commands?: readonly CommandNode[];
  readonly load: () => Promise<Run<Options>>;
}

/** A declared command whose options are nobody else's concern. */
export interface CommandNode extends Omit<CommandDeclaration<never>, "parameters" | "load" | "commands"> {
  readonly kind: "command";
  readonly commands: readonly CommandNode[];
  readonly parameters: Readonly<Record<string, Parameter<unknown>>>;
  /** `options` has a value for each of `parameters`. */
  run(invocation: Invocation<Readonly<Record<string, unknown>>>): Promise<ExitCode>;
}

export interface GroupNode {
  readonly kind: "group";
  readonly name: string;
  readonly purpose: string;
  readonly commands: readonly CommandNode[];
}

export type TreeNode = CommandNode | GroupNode;

export function command<Options>(declaration: CommandDeclaration<Options>): CommandNode {
  const { parameters, load, ...rest } = declaration;
  return {
    ...rest,
    kind: "command",
    commands: declaration.commands ?? [],
    parameters: parameters as Readonly<Record<string, Parameter<unknown>>>,
    async run(invocation) {
      const run = await load();
      return run(invocation as Invocation<Options>);
    },
  };
}

export function group(name: string, purpose: string, commands: readonly CommandNode[]): GroupNode {
  return { kind: "group", name, purpose, commands };
}

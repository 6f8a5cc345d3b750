/**
 * The shape of an option's declaration. An option is declared once, as data, in this folder; file schema, environment
 * variables, flags, help, reference page and JSON Schema are all read from the declaration.
 * The types tie a declaration to the value it yields: a field of `Config` without a declared option does not compile.
 */
export type ScalarType =
  | "integer"
  | "number"
  | "duration"
  | "size"
  | "text"
  | "choice"
  | "baseUrl"
  | "secret"
  | "target"
  | "dollars";

/** One value that a person sets. */
export interface ScalarNode {
  readonly node: "scalar";
  readonly type: ScalarType;
  /** One or two sentences for help, reference page and editors. */
  readonly doc: string;
  /** `undefined`: there is none; see `required`. */
  readonly default: string | number | null | undefined;
  /** Whether the file must give it wherever its section is written. */
  readonly required: boolean;
  /** What 0 means where it means something special. */
  readonly zero: string | null;
  /** What leaving it out means where no default value says so. */
  readonly absent: string | null;
  /** Smallest and largest number, inclusive. */
  readonly min: number;
  readonly max: number;
  /** Of a `choice`. */
  readonly choices: readonly string[];
  /** What a `text` must match, and how to say it: "letters, digits and …". */
  readonly pattern: RegExp | null;
  readonly patternDoc: string | null;
  /** Environment variable where it is not the one derived from the path. */
  readonly env: string | null;
  /** Flag of the command line, without dashes; `null`: none. */
  readonly flag: string | null;
  /** Read once at start: a reload reports a change but keeps the old value. */
  readonly restart: boolean;
}

/** A section with fixed keys. */
export interface GroupNode {
  readonly node: "group";
  readonly doc: string;
  readonly fields: Readonly<Record<string, OptionNode>>;
  /** The field that a plain text in place of the whole section stands for. */
  readonly shorthand: string | null;
  /** The section of the same keys that documents them, where this one repeats it: `timeouts`. */
  readonly sameAs: string | null;
}

/** A section whose keys are chosen by the operator. */
export interface DictionaryNode {
  readonly node: "dictionary";
  readonly doc: string;
  /** What a key is, in the reference page's notation: `<provider>`. */
  readonly keyName: string;
  readonly keyPattern: RegExp;
  readonly keyDoc: string;
  readonly value: OptionNode;
}

export interface ListNode {
  readonly node: "list";
  readonly doc: string;
  readonly item: OptionNode;
  /** Fewest items. */
  readonly min: number;
}

export type OptionNode = ScalarNode | GroupNode | DictionaryNode | ListNode;

/** The declaration of a value of this type. */
export type Option<Value> = [Value] extends [string | number | null]
  ? ScalarNode & { readonly default: Value | undefined }
  : [Value] extends [readonly (infer Item)[]]
    ? ListNode & { readonly item: Option<Item> }
    : string extends keyof Value
      ? DictionaryNode & { readonly value: Option<Value[keyof Value]> }
      : GroupNode & { readonly fields: Options<Value> };

/** A declaration for every field of a section. */
export type Options<Section> = { readonly [Key in keyof Section]-?: Option<Exclude<Section[Key], undefined>> };

import type { ErrorCode } from "yaml";

/**
 * What a YAML error means, in words of our own: the parser's messages can quote the text of the file, and with it
 * a secret. Codes as in the `yaml` package's `errors.d.ts`.
 */
const sentences: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_ALIAS: "an alias (`*name`) names no anchor before it; quote text that begins with `*`",
  BAD_DQ_ESCAPE: "text in double quotes has an unknown escape; use single quotes or double the backslash",
  BAD_INDENT: "the indentation does not match the lines around it",
  BAD_SCALAR_START: "text begins with a character that is reserved; put the text in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a second `key:` stands on one line; put it on its own line, or quote text that contains `: `",
  MISSING_CHAR: "a closing quote, bracket, comma or the space after a colon is missing",
  MULTILINE_IMPLICIT_KEY: "a key goes over more than one line; a `:` may be missing",
  MULTIPLE_DOCS: "the file has more than one YAML document; keep one and leave out the `---` between them",
  TAB_AS_INDENT: "a tab is used for indentation; use spaces",
  TAG_RESOLVE_FAILED: "a tag (`!name`) is not known; leave it out, or quote text that begins with `!`",
  UNEXPECTED_TOKEN: "something stands here that does not belong",
};

export function describeSyntaxError(code: ErrorCode): string {
  return sentences[code] ?? "the text cannot be read as YAML";
}

import type { Secret } from "../config.ts";

/** A section as the file writes it: a secret is a reference there. */
export type SectionInFile<Section> = {
  readonly [Key in keyof Section]: Secret extends Section[Key] ? string | null : Section[Key];
};

import type { Secret } from "../config.ts";
import type { GroupNode, Options, ScalarNode } from "./option.ts";

/** A section with these fields. */
export function group<Section>(
  doc: string,
  fields: Options<Section>,
): GroupNode & { readonly fields: Options<Section> } {
  return { node: "group", doc, shorthand: null, sameAs: null, fields };
}

/** The keys of the section `sameAs` once more, each of which may be left out; `absent` says what then counts. */
export function partial<Section extends Readonly<Record<keyof Section, number>>>(
  sameAs: string,
  fields: Readonly<Record<keyof Section, ScalarNode>>,
  doc: string,
  absent: string,
): GroupNode & { readonly fields: Options<Partial<Section>> } {
  const optional = Object.entries<ScalarNode>(fields).map(([name, option]) => [
    name,
    { ...option, default: undefined, absent, restart: false },
  ]);
  return { ...group<Partial<Section>>(doc, Object.fromEntries(optional) as Options<Partial<Section>>), sameAs };
}

/** A section as the file writes it: a secret is a reference there. */
export type SectionInFile<Section> = {
  readonly [Key in keyof Section]: Secret extends Section[Key] ? string | null : Section[Key];
};

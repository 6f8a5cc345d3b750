import { readFileSync } from "node:fs";

/** The version of this package, as its manifest says; it lies two folders up, in the sources and as published. */
export function readVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly version: string;
  };
  return manifest.version;
}

/**
 * The layer table: a folder imports its own files and folders of a lower layer, nothing else.
 * Folders of layer 3 are siblings and do not import each other. `test/tidy.test.ts` enforces this page.
 */
export const layers: readonly (readonly string[])[] = [
  ["kernel"],
  ["config", "dialects"],
  ["storage", "telemetry"],
  ["tenancy", "limits", "accounting", "routing", "providers", "streaming"],
  ["exchange"],
  ["http", "simulator"],
  ["cli"],
];

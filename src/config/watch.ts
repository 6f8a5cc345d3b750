import { watch } from "node:fs";
import { basename, dirname } from "node:path";

/**
 * Calls `changed` whenever a file may have changed, until `signal` aborts. Watches the folder, because editors put a
 * new file in the place of the old one, and Kubernetes swaps the link `..data` that a mounted file leads through. Says
 * so too often rather than too seldom: whoever listens compares. `failed` is called at most once, when the system
 * cannot or no longer watch; then nothing more comes.
 */
export type WatchFile = (
  path: string,
  changed: () => void,
  failed: (reason: string) => void,
  signal: AbortSignal,
) => void;

export const watchFile: WatchFile = (path, changed, failed, signal) => {
  const name = basename(path);
  try {
    const watcher = watch(dirname(path), { persistent: false, signal }, (_event, entry) => {
      if (entry === null || entry === name || entry === "..data") changed();
    });
    watcher.on("error", (error) => {
      watcher.close();
      failed(error.message);
    });
  } catch (error) {
    failed(error instanceof Error ? error.message : String(error));
  }
};

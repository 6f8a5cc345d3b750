/** One request of a soak, as its caller means to make it. */
import type { FaultName } from "../../src/simulator/faults.ts";
import type { SoakKey } from "./keys.ts";

/** How a caller leaves before the answer is complete. */
export type Leaving =
  | { readonly when: "after"; readonly ms: number }
  | { readonly when: "chunk"; readonly count: number }
  /** Takes the head, reads nothing more, and hangs up after so many milliseconds. */
  | { readonly when: "stalled"; readonly ms: number }
  /** In the middle of sending its own request. */
  | { readonly when: "upload" };

export interface Plan {
  readonly index: number;
  /** For the table of what was asked. */
  readonly kind: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** `null`: a key that the gateway does not know. */
  readonly key: SoakKey | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly stream: boolean;
  readonly fault: FaultName | null;
  readonly leaving: Leaving | null;
  /** How long the caller reads nothing after each piece of the answer; 0: it reads as fast as it can. */
  readonly pauseMs: number;
}

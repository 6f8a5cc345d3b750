/** Gateway processes side by side on one store: some of them are killed, and others start in their place. */
import { startGatewayProcess, type Child } from "../soak/children.ts";
import type { OverspendPlace } from "./place.ts";

export interface Fleet extends AsyncDisposable {
  /** Where a request may go now. */
  urls(): readonly string[];
  /** `kill -9` of the process in this place, and a new one there. */
  replace(place: number): Promise<void>;
  /** Ends all of them in good order. Rejects if one does not end with 0. */
  stop(): Promise<void>;
}

export async function startFleet(place: OverspendPlace, size: number): Promise<Fleet> {
  const children: Child[] = [];
  await using starting = new AsyncDisposableStack();
  for (let index = 0; index < size; index++) {
    children.push(starting.use(await startGatewayProcess(place.processPlace(index), 0)));
  }
  starting.move();
  return {
    urls: () => children.map(({ url }) => url),
    async replace(index) {
      const dying = children[index];
      if (dying === undefined) throw new Error(`There is no process ${index}.`);
      await dying.end("SIGKILL");
      children[index] = await startGatewayProcess(place.processPlace(index), 0);
    },
    async stop() {
      const codes = await Promise.all(children.map((child) => child.end("SIGTERM")));
      const bad = codes.filter((code) => code !== 0);
      if (bad.length > 0) throw new Error(`Gateways ended with ${bad.join(", ")} instead of 0.`);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map((child) => child[Symbol.asyncDispose]()));
    },
  };
}

/**
 * Listens for changes of the control tables on a connection of its own. One that breaks is replaced after a while;
 * what was told meanwhile is lost, so that a new connection counts as news.
 */
import { Socket } from "node:net";
import { Client } from "pg";
import type { Clock, Timer } from "../../../kernel/clock.ts";
import { connectionSettings } from "../pool.ts";

const CHANNEL = "headgate_control";
const RECONNECT_MS = 1000;

/** `onNews` is called when something may have changed. Without a connection that listens it is never called. */
export function listen(url: string, clock: Clock, onNews: () => void): AsyncDisposable {
  let client: Client | null = null;
  let socket = new Socket();
  let timer: Timer | null = null;
  let stopped = false;
  let connecting: Promise<void> = Promise.resolve();

  async function connect(): Promise<void> {
    socket = new Socket();
    const stream = socket;
    const dialled = new Client({ ...connectionSettings(url), stream: () => stream });
    dialled.on("notification", onNews);
    dialled.on("error", () => lose(dialled));
    dialled.on("end", () => lose(dialled));
    client = dialled;
    try {
      await dialled.connect();
      await dialled.query(`listen ${CHANNEL}`);
      onNews();
    } catch {
      // Whether the database can be reached is told by those who ask it something.
      lose(dialled);
    }
  }

  function lose(lost: Client): void {
    if (client !== lost) return;
    client = null;
    void lost.end().catch(() => {});
    if (stopped) return;
    timer = clock.setTimer(() => {
      connecting = connect();
    }, RECONNECT_MS);
  }

  connecting = connect();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      timer?.cancel();
      client = null;
      // No goodbye: a server that has gone silent would not answer it.
      socket.destroy();
      await connecting;
    },
  };
}

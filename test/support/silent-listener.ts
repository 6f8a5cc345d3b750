import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

export interface SilentListener extends AsyncDisposable {
  readonly port: number;
}

/** Accepts connections and says nothing, until disposed: then it breaks them. */
export async function listenSilently(): Promise<SilentListener> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on("error", () => socket.destroy())));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}

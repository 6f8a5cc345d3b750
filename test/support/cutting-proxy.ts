/** Stands between a program and a server, and does to its connections what networks do. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from "node:net";

export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** Cuts all connections and takes no new ones. */
  leave(): void;
  /** Passes nothing on any more and says nothing; what it was sent goes on when it is back. */
  fallSilent(): void;
  /** Takes connections again. */
  comeBack(): void;
  /** Asked for each piece that the program sends: whether the connection is cut, and before or after it was passed on. */
  cutting: (piece: Buffer) => "before" | "after" | null;
}

/** `server`: where it listens. */
export async function startCuttingProxy(server: NetConnectOpts): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let state: "passing" | "away" | "silent" = "passing";

  const listener = createServer((program) => {
    if (state === "away") return void program.destroy();
    const remote = connect(server);
    const both = [program, remote];
    const cut = (): void => both.forEach((socket) => socket.destroy());
    for (const socket of both) {
      open.add(socket);
      socket.on("error", cut);
      socket.on("close", () => {
        open.delete(socket);
        cut();
      });
      if (state === "silent") socket.pause();
    }
    program.on("data", (piece: Buffer) => {
      const when = proxy.cutting(piece);
      if (when === "before") return cut();
      if (when === null) return void remote.write(piece);
      // The server has it in full; the program is never told what became of it.
      program.destroy();
      remote.end(piece);
    });
    remote.on("data", (piece: Buffer) => void (program.destroyed || program.write(piece)));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const proxy: CuttingProxy = {
    port: (listener.address() as AddressInfo).port,
    cutting: () => null,
    leave() {
      state = "away";
      for (const socket of open) socket.destroy();
    },
    fallSilent() {
      state = "silent";
      for (const socket of open) socket.pause();
    },
    comeBack() {
      state = "passing";
      for (const socket of open) socket.resume();
    },
    async [Symbol.asyncDispose]() {
      proxy.leave();
      listener.close();
      await once(listener, "close");
    },
  };
  return proxy;
}

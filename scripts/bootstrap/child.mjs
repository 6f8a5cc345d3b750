/** The first thing that runs in a child of the bootstrap: ties its life to its parent's, then becomes the target. */
import { become } from "./become.mjs";

const [file, ...args] = process.argv.slice(2);

process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
process.channel.unref();
await become(file, args);

/** The first thing that runs in a child of the bootstrap: ties its life to its parent's, then becomes the target. */
import { pathToFileURL } from "node:url";

const [node, , file, ...args] = process.argv;

process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
process.channel.unref();
process.argv = [node, file, ...args];
await import(pathToFileURL(file).href);

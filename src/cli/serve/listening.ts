import { CliFailure } from "../failure.ts";

/** What a socket's error at start means to a person; anything else is given back as it is. */
export function explainListenError(error: unknown, host: string, port: number, remedy: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : null;
  const where = `${host}:${port}`;
  const told: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} on ${host} is in use by another process. ${remedy}`,
    EACCES: `This user may not listen on ${where}. Ports below 1024 are often reserved. ${remedy}`,
    EADDRNOTAVAIL: `${host} is not an address of this machine. Use 127.0.0.1, 0.0.0.0 or one that is.`,
    ENOTFOUND: `The name ${host} does not resolve. Use an address such as 127.0.0.1 or 0.0.0.0.`,
  };
  const message = told[String(code)];
  return message === undefined ? error : new CliFailure("port_in_use", message, { host, port }, error);
}

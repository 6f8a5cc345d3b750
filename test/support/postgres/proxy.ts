import { type CuttingProxy, startCuttingProxy } from "../cutting-proxy.ts";

export interface PostgresProxy extends CuttingProxy {
  /** Of the same database, through the proxy. */
  readonly url: string;
}

const DEFAULT_PORT = 5432;

/** `url`: of a database on a socket or a host. */
export async function startPostgresProxy(url: string): Promise<PostgresProxy> {
  const direct = new URL(url);
  const host = decodeURIComponent(direct.hostname);
  const port = direct.port === "" ? DEFAULT_PORT : Number(direct.port);
  const proxy = await startCuttingProxy(host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
  const through = `postgres://${direct.username}:${direct.password}@127.0.0.1:${proxy.port}${direct.pathname}`;
  return Object.assign(proxy, { url: through });
}

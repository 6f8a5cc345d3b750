import { text } from "./0001-text.ts";

const KEY = "hour_ms, tenant_id, project_id, key_id, model_asked, provider, model_served, reuse";
const INTEGER_MAX = 2n ** 63n - 1n;

const names = ["tenant_id", "project_id", "key_id", "model_asked", "provider", "model_served"];
const ROW_KEY = `started_at_ms - started_at_ms % 3600000, ${names.map((name) => `coalesce(${name}, '')`).join(", ")}, reuse`;

/** In the order of the keys, so that transactions that write the same hours wait for each other in turn. */
function addFrom(source: string): string {
  return `
  INSERT INTO reuse_hours AS known (${KEY}, requests, saved_nano_usd)
  SELECT ${ROW_KEY}, count(*), least(sum(saved_nano_usd), ${INTEGER_MAX})
  FROM ${source} WHERE reuse IS NOT NULL GROUP BY ${ROW_KEY} ORDER BY ${ROW_KEY}
  ON CONFLICT (${KEY}) DO UPDATE SET
    requests = known.requests + excluded.requests,
    saved_nano_usd = least(known.saved_nano_usd::numeric + excluded.saved_nano_usd, ${INTEGER_MAX});`;
}

/**
 * Requests that may be answered without a call, summed by hour: what reports over long times read. A trigger sums, so that
 * the sums are right whoever writes the records, processes of the former release included. A sum stops at the largest
 * integer there is.
 */
export const reuseHours: string = `
CREATE TABLE reuse_hours (
  hour_ms BIGINT NOT NULL,
  tenant_id ${text} NOT NULL,
  project_id ${text} NOT NULL,
  key_id ${text} NOT NULL,
  model_asked ${text} NOT NULL,
  provider ${text} NOT NULL,
  model_served ${text} NOT NULL,
  reuse ${text} NOT NULL,
  requests BIGINT NOT NULL,
  saved_nano_usd BIGINT NOT NULL,
  PRIMARY KEY (${KEY})
) WITH (fillfactor = 80);

CREATE FUNCTION headgate_reuse_is_summed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  ${addFrom("added")}
  RETURN NULL;
END $$;
CREATE TRIGGER reuse_is_summed AFTER INSERT ON requests REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION headgate_reuse_is_summed();

${addFrom("requests")}
`;

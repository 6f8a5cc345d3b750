/**
 * Requests that may be answered without a call, summed by hour: what reports over long times read. A trigger sums, so that
 * the sums are right whoever writes the records. A sum stops at the largest integer there is.
 */
const KEY = "hour_ms, tenant_id, project_id, key_id, model_asked, provider, model_served, reuse";
const INTEGER_MAX = 2n ** 63n - 1n;

/** `row`: what its columns' names begin with. */
function keyOf(row: string): string {
  const names = ["tenant_id", "project_id", "key_id", "model_asked", "provider", "model_served"];
  const texts = names.map((name) => `coalesce(${row}${name}, '')`).join(", ");
  return `${row}started_at_ms - ${row}started_at_ms % 3600000, ${texts}, ${row}reuse`;
}

const add = `
  ON CONFLICT (${KEY}) DO UPDATE SET
    requests = requests + 1,
    saved_nano_usd = CASE
      WHEN excluded.saved_nano_usd > ${INTEGER_MAX} - saved_nano_usd THEN ${INTEGER_MAX}
      ELSE saved_nano_usd + excluded.saved_nano_usd
    END;`;

export const reuseHours: string = `
CREATE TABLE reuse_hours (
  hour_ms INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  model_asked TEXT NOT NULL,
  provider TEXT NOT NULL,
  model_served TEXT NOT NULL,
  reuse TEXT NOT NULL,
  requests INTEGER NOT NULL,
  saved_nano_usd INTEGER NOT NULL,
  PRIMARY KEY (${KEY})
) STRICT, WITHOUT ROWID;

INSERT INTO reuse_hours (${KEY}, requests, saved_nano_usd)
SELECT ${keyOf("")}, 1, saved_nano_usd FROM requests WHERE reuse IS NOT NULL
${add}

CREATE TRIGGER reuse_is_summed AFTER INSERT ON requests WHEN NEW.reuse IS NOT NULL
BEGIN
  INSERT INTO reuse_hours (${KEY}, requests, saved_nano_usd)
  VALUES (${keyOf("NEW.")}, 1, NEW.saved_nano_usd)
  ${add}
END;
`;

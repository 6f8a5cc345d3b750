import { secretPattern } from "../options/schema.ts";
import { fieldsOf, type JoinContext, refuse } from "./context.ts";
import { readSecret } from "./secret-reader.ts";

const SECRET_PREFIX = "whsec_";
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;

/** Rules for `alerts`: a webhook is signed, with a key that receivers' libraries take. */
export function checkAlerts(alerts: unknown, context: JoinContext): void {
  const { webhookUrl = null, webhookSecret = null } = fieldsOf(alerts);
  if (webhookUrl !== null && webhookSecret === null) {
    const advice = "Add `webhookSecret: env:NAME`, so that the receiver can tell these calls from others.";
    refuse(context, ["alerts", "webhookUrl"], "stands without `webhookSecret`", advice, "key");
  }
  if (webhookUrl === null && webhookSecret !== null) {
    refuse(context, ["alerts", "webhookSecret"], "stands without `webhookUrl`", "Add it, or leave both out.", "key");
  }
  if (typeof webhookSecret !== "string" || !secretPattern.test(webhookSecret)) return;
  const reading = readSecret(webhookSecret, context.env, context.folder);
  if (!reading.ok || isSigningSecret(reading.secret.reveal())) return;
  const message = `refers to something that is not ${SECRET_PREFIX} and ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes in base64`;
  const advice = 'Make one with: echo "whsec_$(openssl rand -base64 32)"';
  refuse(context, ["alerts", "webhookSecret"], message, advice);
}

function isSigningSecret(text: string): boolean {
  if (!text.startsWith(SECRET_PREFIX)) return false;
  const encoded = text.slice(SECRET_PREFIX.length);
  const key = Buffer.from(encoded, "base64");
  const withoutPadding = (base64: string): string => base64.replace(/=+$/, "");
  const exact = withoutPadding(key.toString("base64")) === withoutPadding(encoded);
  return exact && key.length >= SECRET_BYTES_MIN && key.length <= SECRET_BYTES_MAX;
}

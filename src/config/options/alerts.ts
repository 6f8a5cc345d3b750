import type { AlertsConfig } from "../config.ts";
import type { SectionInFile } from "./sections.ts";
import type { Options } from "./option.ts";
import { nullable } from "./scalars.ts";

export const alertsOptions: Options<SectionInFile<AlertsConfig>> = {
  webhookUrl: nullable("text", {
    doc: "Where alerts of allowances are sent by POST, signed with `webhookSecret`. Put no key into it: it is shown by `headgate config print`.",
    absent: "alerts are logged and kept only",
    pattern: /^https?:\/\/[^\s/?#@]+(?:[/?][^\s#]*)?$/,
    patternDoc: "an http:// or https:// address without user name and fragment",
  }),
  webhookSecret: nullable("secret", {
    doc: "What webhook calls are signed with, by reference: `env:NAME` or `file:PATH`. It is `whsec_` and 24 to 64 random bytes in base64, as Standard Webhooks says.",
    absent: "none, which is refused where there is a `webhookUrl`",
  }),
};

/** The credentials of a soak's providers: the simulator takes every one, but can be told to refuse those that end with `poor`. */

/** Of the gateway's process. */
export const credentialEnv: Readonly<Record<string, string>> = {
  SOAK_FIRST: "sk-soak-ok",
  SOAK_SECOND: "sk-soak-poor",
  SOAK_OTHER: "sk-soak-other",
};

/** How a credential is known: its name in the configuration and the simulator's label for its key. */
export const credentialLabels: Readonly<Record<string, string>> = {
  first: "…k-ok",
  second: "…poor",
  other: "…ther",
};

/** As a provider's configuration says it. */
export const twoCredentials: readonly object[] = [
  { name: "first", key: "env:SOAK_FIRST" },
  { name: "second", key: "env:SOAK_SECOND" },
];
export const oneCredential: readonly object[] = [{ name: "other", key: "env:SOAK_OTHER" }];

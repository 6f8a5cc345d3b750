/** What the process's exit code means: the one table that help, reference page and code share. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  configuration: 3,
  conflict: 4,
  checks: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: "Done. For serve and sim: stopped as asked, everything settled.",
  1: "It failed: the store cannot be used, a port is taken, or a bug. The message says which.",
  2: "The command line is wrong: an unknown command or option, or a value that cannot be used.",
  3: "The configuration was refused. Every problem is listed with its place.",
  4: "What was named does not exist, or what should be created already does.",
  5: "Checks ran and at least one failed (doctor, prices missing), the request would be refused (route explain), or no threshold will do (cache evaluate).",
  130: "Interrupted: a second signal ended the process before everything was finished.",
};

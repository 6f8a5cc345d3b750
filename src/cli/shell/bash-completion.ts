import type { ListedCommand, ListedFlag } from "./command-list.ts";

/** A script for `source <(headgate completion bash)`. Needs nothing but bash itself. */
export function renderBashCompletion(commands: readonly ListedCommand[]): string {
  const paths = commands.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const flags = new Map(commands.flatMap(({ flags }) => flags).map((flag) => [flag.name, flag]));
  const values = [...flags.values()].filter(({ value }) => value !== null).map(renderValue);
  const words = commands.map((command) => `    "${command.path}") words="${wordsOf(command)}" ;;`);
  return `# bash completion of headgate
_headgate() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$previous" in
${values.join("\n")}
  esac
  case "$path" in
${words.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _headgate headgate
`;
}

function renderValue({ name, value, choices }: ListedFlag): string {
  if (value === "file") return `    --${name}) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;`;
  if (value === "folder") return `    --${name}) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;`;
  return `    --${name}) mapfile -t COMPREPLY < <(compgen -W "${choices.join(" ")}" -- "$current"); return ;;`;
}

function wordsOf({ words, flags }: ListedCommand): string {
  return [...words.map(({ name }) => name), ...flags.map(({ name }) => `--${name}`)].join(" ");
}

import type { ListedCommand, ListedFlag } from "./command-list.ts";

/** A script for a file `_headgate` in `$fpath`, or for `source <(headgate completion zsh)` after `compinit`. */
export function renderZshCompletion(commands: readonly ListedCommand[]): string {
  const paths = commands.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  return `#compdef headgate
# zsh completion of headgate
_headgate() {
  local route="" word
  local -i depth=0
  local -a commands
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${route:+$route }$word" in
      ${paths.join("|")}) route="\${route:+$route }$word"; depth+=1 ;;
      *) break ;;
    esac
  done
  words=("\${words[1]}" "\${(@)words[depth+2,-1]}")
  (( CURRENT -= depth ))
  case "$route" in
${commands.map(renderCommand).join("\n")}
  esac
}
if [ "$funcstack[1]" = "_headgate" ]; then
  _headgate "$@"
else
  compdef _headgate headgate
fi
`;
}

function renderCommand({ path, words, flags }: ListedCommand): string {
  const specs = flags.map((flag) => quote(renderFlag(flag)));
  const lines: string[] = [];
  if (words.length > 0) {
    const named = words.map(({ name, purpose }) => quote(purpose === "" ? name : `${name}:${purpose}`));
    lines.push(`      commands=(${named.join(" ")})`);
    specs.push(`'*: :{_describe "command" commands}'`);
  }
  lines.push(`      _arguments ${specs.join(" \\\n        ")}`);
  return `    "${path}")\n${lines.join("\n")} ;;`;
}

/** As `_arguments` takes them: https://zsh.sourceforge.io/Doc/Release/Completion-System.html */
function renderFlag({ name, purpose, value, choices }: ListedFlag): string {
  const doc = purpose.replace(/[[\]\\:]/g, "\\$&");
  if (value === null) return `--${name}[${doc}]`;
  const action = value === "file" ? "_files" : value === "folder" ? "_files -/" : `(${choices.join(" ")})`;
  return `*--${name}[${doc}]:value:${choices.length === 0 && value === "text" ? " " : action}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

interface Interpreter {
  /** File name of the program. */
  name: RegExp;
  /** Option after which stands no file: text to run, or the name of a module. */
  text: RegExp;
  /** Option that takes the next word with it. */
  value: RegExp;
  /** Word that may stand before the file. */
  verb?: string;
}

const interpreters: readonly Interpreter[] = [
  { name: /^((ba|da|a|z|k|mk)?sh|fish)$/, text: /^-\w*c/, value: /^[-+]\w*o$|^--(rc|init-)file$/ },
  { name: /^(python|pypy)[\d.]*$/, text: /^-\w*[cm]$/, value: /^-\w*[WX]$/ },
  {
    name: /^(node|bun|deno)$/,
    text: /^(-p?e|-p|--eval|--print)$/,
    value: /^(-r|-C|--require|--import|--loader|--preload|--config|--cwd|--conditions)$/,
    verb: "run",
  },
  { name: /^(perl|ruby|lua)[\d.]*$/, text: /^-\w*[eE]$/, value: /^-[Ilr]$/ },
  { name: /^php[\d.]*$/, text: /^-r$/, value: /^-[cd]$/ },
];

/**
 * The file that a command has an interpreter run, where it is an absolute path; null where there is none, or where it
 * cannot be told. Pure.
 */
export function scriptOf([program = "", ...words]: readonly string[]): string | null {
  const name = program.slice(program.lastIndexOf("/") + 1);
  if (name === "env") {
    const at = words.findIndex((word) => !/^-|^\w+=/.test(word));
    return at === -1 ? null : scriptOf(words.slice(at));
  }
  const interpreter = interpreters.find((candidate) => candidate.name.test(name));
  if (!interpreter) return null;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (interpreter.text.test(word)) return null;
    if (interpreter.value.test(word)) at++;
    else if (!/^[-+]/.test(word) && word !== interpreter.verb) {
      return word.startsWith("/") ? word : null;
    }
  }
  return null;
}

/** How each manager's file names the home, and how a character that means something there is spelled. */
const spellings: [line: RegExp, escaped: RegExp, plain: (escaped: string) => string][] = [
  [/^Environment="REVKA_HOME=(.*)"$/m, /%%|\\./g, (escaped) => escaped.slice(1)],
  [/^export REVKA_HOME='(.*)'$/m, /'\\''/g, () => "'"],
  [
    /<key>REVKA_HOME<\/key>\s*<string>(.*)<\/string>/,
    /&(?:amp|lt|gt);/g,
    (escaped) => ({ "&lt;": "<", "&gt;": ">" })[escaped] ?? "&",
  ],
];

/** REVKA_HOME of the service that this unit, script or property list runs, or null where it names none. Pure. */
export function homeOfInstalled(text: string): string | null {
  for (const [line, escaped, plain] of spellings) {
    const written = line.exec(text)?.[1];
    if (written !== undefined) return written.replace(escaped, plain);
  }
  return null;
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { catalogue } from "../../src/commands/catalogue.ts";
import { checkPositionals, globalOptions, parseWords } from "../../src/commands/parse.ts";
import manifest from "../../package.json";
import { allBlocks, documents, placeOf, root, textOf } from "./documents.ts";

/** Programs of others that the documents may name; everything else must be Revka's or the project's. */
const others =
  /^(sudo|curl|chmod|chown|mkdir|cp|mv|tar|umask|uptime|df|journalctl|systemctl|loginctl|systemd-creds|install|sqlite3|uname|sha256sum|shasum|cosign|openssl|docker|node|python3|deno|git|cd|test|echo|printf|cat|export|wrk|hyperfine|gh|xattr|ssh|rsync|minisign|apt|apk|brew|ulimit|sh|tail|head|grep|jq|rm|ls|ln|file|xz|zstd|kill)$/;

/** The commands of a shell snippet: comments gone, lines joined, pipes and lists taken apart. */
function commandsOf(text: string): string[][] {
  return text
    .replace(/\\\n\s*/g, " ")
    .split("\n")
    .flatMap((line) => line.replace(/(^|\s)#.*$/, "").split(/\s(?:\||&&|\|\||;)\s/))
    .map(words)
    .filter((parts) => parts.length > 0);
}

function words(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)]
    .map(([, double, single, bare]) => double ?? single ?? bare ?? "")
    .filter((word) => !/^[0-9]?[<>]/.test(word));
}

/** null where the command exists as it stands, else what is wrong with it. One that is not `whole` lacks words. */
async function wrongWith(parts: string[], whole = true): Promise<string | null> {
  const [program = "", ...rest] = parts.filter((part, index) => index > 0 || part !== "");
  if (/^[A-Z_]+=/.test(program)) return rest.length > 0 ? wrongWith(rest, whole) : null;
  if (program === "sudo") return wrongWith(rest, whole);
  if (program === "npx") {
    const [yes, bun, ...script] = rest;
    if (yes !== "-y" || bun !== "bun@1.4.5") return `npx ${rest.join(" ")}`;
    return wrongWith(["bun", ...script], whole);
  }
  if (program === "bun" || program.endsWith("/bun")) return wrongWithBun(rest);
  if (/(^|\/)revka(-[\w.-]+)?$/.test(program)) return wrongWithRevka(rest, whole);
  return others.test(program.split("/").at(-1) ?? "") ? null : `unknown program ${program}`;
}

function wrongWithBun([verb = "", ...words]: string[]): string | null {
  const files = verb === "test" ? words : verb.endsWith(".ts") ? [verb] : [];
  const missing = files.filter((file) => !existsSync(join(root, file)));
  if (missing.length > 0) return `no file ${missing.join(", ")}`;
  if (files.length > 0 || ["install", "check", "fmt"].includes(verb)) return null;
  const [name = ""] = words;
  return verb === "run" && Object.hasOwn(manifest.scripts, name) ? null : `bun ${verb} ${name}`;
}

async function wrongWithRevka(given: string[], whole: boolean): Promise<string | null> {
  const [name = "", ...rest] = given;
  if (["--version", "--help"].includes(name)) return null;
  const entry = catalogue.get(name);
  if (!entry) return `revka ${name}`;
  const command = await entry.load();
  try {
    const { positionals } = parseWords({ ...globalOptions, ...command.options }, rest);
    if (whole) checkPositionals(command, positionals);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe("every command of an sh block exists as it stands", () => {
  for (const block of allBlocks.filter(({ language, name }) => language === "sh" && name === "")) {
    test(placeOf(block), async () => {
      const wrong: string[] = [];
      for (const command of commandsOf(block.text)) {
        const problem = await wrongWith(command);
        if (problem !== null) wrong.push(problem);
      }
      expect(wrong).toEqual([]);
    });
  }
});

describe("every command in the prose exists", () => {
  const command = /`((?:sudo )?(?:[A-Z_]+=\S+ )?(?:revka|bun run|npx) [^`\n]+)`/g;
  for (const file of documents) {
    const prose = textOf(file).replace(/^\s*```[^]*?^\s*```/gm, "");
    const named = new Set([...prose.matchAll(command)].map(([, words = ""]) => words));
    if (named.size === 0) continue;
    test(file, async () => {
      const wrong: string[] = [];
      for (const text of named) {
        const problem = await wrongWith(words(text), false);
        if (problem !== null) wrong.push(`${text}: ${problem}`);
      }
      expect(wrong).toEqual([]);
    });
  }
});

test("a command that does not exist is found out", async () => {
  expect(await wrongWith(["revka", "statsu"])).not.toBeNull();
  expect(await wrongWith(["revka", "status", "--jsn"])).not.toBeNull();
  expect(await wrongWith(["npx", "-y", "bun@1.4.5", "run", "nothing"])).not.toBeNull();
  expect(await wrongWith(["bun", "test", "test/nothing.test.ts"])).not.toBeNull();
  expect(await wrongWith(["sudo", "revka", "service", "install"])).toBeNull();
});

test("the two commands of the README are what package.json runs", () => {
  expect(manifest.scripts.demo).toEndWith("bun src/main.ts demo");
  expect(manifest.scripts.test).toBe("bun scripts/test.ts");
});

import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { root } from "../support/binary.ts";

/** From the top of the house down: a room imports only rooms that come after it. */
const rooms = [
  "main",
  "commands",
  "daemon",
  "gateway",
  "control",
  "conversation",
  "tunnel",
  "service",
  "simulator",
  "speech",
  "agent",
  "access",
  "channels",
  "store",
  "net",
  "config",
  "telemetry",
  "runtime",
];

/** The words that travel. Rooms below the channels may name them too, as types, which leave nothing in the program. */
const words = "channels/message.ts";

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .toSorted();
const sourceOf = (file: string) => readFileSync(join(root, "src", file), "utf8");

/** The imports of one file, by its text. Pure. */
function importsOf(file: string, source: string): Import[] {
  const pattern =
    /^\s*(?:import|export)\s+(type\s)?[^;"]*?(?:from\s+)?"(\.[^"]+)"|import\("(\.[^"]+)"\)/gm;
  return [...source.matchAll(pattern)].map(([, type, fixed, lazy]) => ({
    from: file,
    to: normalize(join(dirname(file), fixed ?? lazy ?? "")),
    typeOnly: type !== undefined,
  }));
}

const roomOf = (file: string) => file.split("/")[0]?.replace(/\.ts$/, "") ?? "";

/** Does this import go up, or sideways into another room? Pure. */
function goesUp({ from, to, typeOnly }: Import): boolean {
  const [above, below] = [rooms.indexOf(roomOf(from)), rooms.indexOf(roomOf(to))];
  return below < above && !(typeOnly && to === words);
}

const violations = (imports: Import[]) =>
  imports.filter(goesUp).map(({ from, to }) => `${from} imports ${to}`);

/** Code without comments, strings and type positions of `typeof Bun`, enough to see what it uses. */
const bunOnly =
  /\bBun\s*[.[]|=\s*Bun\b|\b(?:globalThis|global)\??\.Bun\b|(?:from|import)\s+"(?:bun(?::[^"]*)?|hono\/bun)"|(?:import|require)\("(?:bun[:"]|hono\/bun")|\bimport\.meta\.(?:dir|file|path|require)\b/;
const withoutComments = (source: string) => source.replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");

describe("the house", () => {
  test("every folder and file of src/ is a room with a place", () => {
    const found = new Set(files.map(roomOf));
    expect([...found].toSorted()).toEqual(rooms.toSorted());
  });

  test("a room imports only rooms below it", () => {
    expect(files.flatMap((file) => violations(importsOf(file, sourceOf(file))))).toEqual([]);
  });

  test("conversation, gateway and control know the contract of a channel, never a particular one", () => {
    const particular = files
      .filter((file) => ["conversation", "gateway", "control"].includes(roomOf(file)))
      .flatMap((file) => importsOf(file, sourceOf(file)))
      .filter(({ to }) => /^channels\/[^/]+\//.test(to));
    expect(particular).toEqual([]);
  });

  test("nothing outside of src/runtime/ needs Bun", () => {
    const needing = files
      .filter((file) => roomOf(file) !== "runtime")
      .filter((file) => bunOnly.test(withoutComments(sourceOf(file))));
    expect(needing).toEqual([]);
  });
});

describe("the rules find what they forbid", () => {
  test.each([
    ["store/inbox.ts", 'import { turn } from "../conversation/turn.ts";', true],
    ["store/inbox.ts", 'export * from "../conversation/turn.ts";', true],
    ["store/inbox.ts", 'await import("../daemon.ts");', true],
    ["store/inbox.ts", 'import {\n  type Message,\n} from "../channels/message.ts";', true],
    ["store/inbox.ts", 'import type { Message } from "../channels/message.ts";', false],
    ["store/inbox.ts", 'import type { Channel } from "../channels/channel.ts";', true],
    ["store/inbox.ts", 'import { newId } from "../runtime/ids.ts";', false],
    ["store/inbox.ts", 'import { rows } from "./rows.ts";', false],
  ])("%s with %j", (file, source, found) => {
    expect(violations(importsOf(file, source)).length).toBe(found ? 1 : 0);
  });

  test.each([
    ["Bun.serve({})", true],
    ['import { Database } from "bun:sqlite";', true],
    ['const { $ } = await import("bun");', true],
    ['import "bun:jsc";', true],
    ['require("bun:sqlite")', true],
    ['import { serveStatic } from "hono/bun";', true],
    ["const { serve } = Bun;", true],
    ["globalThis.Bun?.gc(true)", true],
    ["join(import.meta.dir, name)", true],
    ["import.meta.dirname", false],
    ["// Bun.serve is not here", false],
    ['log.info("Bun: 1.4")', false],
  ])("%j", (source, found) => {
    expect(bunOnly.test(withoutComments(source))).toBe(found);
  });
});

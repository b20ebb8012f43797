import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as v from "valibot";

/** The bundler's own names hold a hash of where each source file lies, which is nobody's business. */
const chunkName = /chunk-[0-9a-z]{8}\.js/g;

const metafile = v.object({
  outputs: v.record(
    v.string(),
    v.object({
      inputs: v.record(v.string(), v.object({ bytesInOutput: v.number() })),
      imports: v.array(v.object({ path: v.string(), kind: v.string() })),
    }),
  ),
});

/** Paths of the parts of a program. */
export interface Parts {
  /** Those that a start loads, the entry first. */
  first: string[];
  /** Those that are loaded when something asks for them, if ever. */
  later: string[];
}

/**
 * Bundles into parts that are loaded when they are asked for, and writes them to `folder`: `main.js`, `part-1.js`,
 * `part-2.js` … in the order in which they mention each other, so that the same source gives the same names and texts
 * wherever it lies. A start loads the entry, `startFiles` (the ends of their paths) and all that these import outright.
 * Throws where the bundler fails.
 */
export async function bundleParts(
  config: Omit<Bun.BuildConfig, "compile" | "outdir">,
  folder: string,
  startFiles: readonly string[],
): Promise<Parts> {
  const build = await Bun.build({
    ...config,
    format: "esm",
    splitting: true,
    naming: { entry: "[name].[ext]" },
    metafile: true,
  });
  const texts = new Map<string, string>();
  for (const output of build.outputs) texts.set(basename(output.path), await output.text());
  const entry = build.outputs.find(({ kind }) => kind === "entry-point");
  if (!entry) throw new Error("the bundler made no entry");
  const names = inOrder(basename(entry.path), texts);

  const known = new Map<string, Part>();
  for (const [path, { inputs, imports }] of Object.entries(
    v.parse(metafile, build.metafile).outputs,
  )) {
    known.set(basename(path), {
      holds: Object.keys(inputs).filter((file) => (inputs[file]?.bytesInOutput ?? 0) > 0),
      imports: imports
        .filter(({ kind }) => kind === "import-statement")
        .map(({ path }) => basename(path)),
    });
  }
  const starting = loadedWith(basename(entry.path), startFiles, known);

  mkdirSync(folder, { recursive: true });
  const parts: Parts = { first: [], later: [] };
  for (const [old, name] of names) {
    const path = join(folder, name);
    const text = texts.get(old) ?? "";
    writeFileSync(
      path,
      text.replace(chunkName, (mentioned) => names.get(mentioned) ?? mentioned),
    );
    (starting.has(old) ? parts.first : parts.later).push(path);
  }
  return parts;
}

interface Part {
  /** Source files of which it has something. */
  holds: string[];
  /** Parts that are loaded with it. */
  imports: string[];
}

/** The entry, the parts that hold these files, and all that they import. Throws where no part holds one. */
export function loadedWith(
  entry: string,
  files: readonly string[],
  parts: ReadonlyMap<string, Part>,
): Set<string> {
  const loaded = new Set([entry]);
  for (const file of files) {
    const holding = [...parts].filter(([, { holds }]) => holds.some((it) => it.endsWith(file)));
    if (holding.length === 0) throw new Error(`no part holds ${file}`);
    for (const [name] of holding) loaded.add(name);
  }
  for (const name of loaded)
    for (const imported of parts.get(name)?.imports ?? []) loaded.add(imported);
  return loaded;
}

/** The new name of each part that can be reached from the entry. */
export function inOrder(entry: string, texts: ReadonlyMap<string, string>): Map<string, string> {
  const names = new Map([[entry, "main.js"]]);
  for (const reached of names.keys()) {
    for (const [mentioned] of (texts.get(reached) ?? "").matchAll(chunkName)) {
      if (texts.has(mentioned) && !names.has(mentioned)) {
        names.set(mentioned, `part-${names.size}.js`);
      }
    }
  }
  return names;
}

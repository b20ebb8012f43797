import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** The bundler's own names hold a hash of where each source file lies, which is nobody's business. */
const chunkName = /chunk-[0-9a-z]{8}\.js/g;

/**
 * Bundles into parts that are loaded when they are asked for, and writes them to `folder`, the entry first: `main.js`,
 * `part-1.js`, `part-2.js` … in the order in which they mention each other, so that the same source gives the same
 * names and texts wherever it lies. Answers their paths. Throws where the bundler fails.
 */
export async function bundleParts(
  config: Omit<Bun.BuildConfig, "compile" | "outdir">,
  folder: string,
): Promise<string[]> {
  const { outputs } = await Bun.build({
    ...config,
    format: "esm",
    splitting: true,
    naming: { entry: "[name].[ext]" },
  });
  const texts = new Map<string, string>();
  for (const output of outputs) texts.set(basename(output.path), await output.text());
  const entry = outputs.find(({ kind }) => kind === "entry-point");
  if (!entry) throw new Error("the bundler made no entry");
  const names = inOrder(basename(entry.path), texts);

  mkdirSync(folder, { recursive: true });
  return [...names].map(([old, name]) => {
    const path = join(folder, name);
    const text = texts.get(old) ?? "";
    writeFileSync(
      path,
      text.replace(chunkName, (mentioned) => names.get(mentioned) ?? mentioned),
    );
    return path;
  });
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

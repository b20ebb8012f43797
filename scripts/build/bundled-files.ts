import { join, relative, resolve } from "node:path";
import * as v from "valibot";
import { isStub, leftOut, leftOutDefines } from "./left-out.ts";

const metafile = v.object({
  outputs: v.record(
    v.string(),
    v.object({ inputs: v.record(v.string(), v.object({ bytesInOutput: v.number() })) }),
  ),
});

/**
 * The files of which a build with these defines takes in at least one byte, relative to `root` and sorted. Throws
 * where the bundler fails.
 */
export async function bundledFiles(
  root: string,
  defines: Record<string, string>,
): Promise<string[]> {
  const build = await Bun.build({
    entrypoints: [join(root, "src/main.ts")],
    root,
    target: "bun",
    format: "cjs",
    minify: true,
    define: { ...defines, ...leftOutDefines },
    metafile: true,
    plugins: [leftOut],
  });
  const { outputs } = v.parse(metafile, build.metafile);
  const files = new Set<string>();
  for (const { inputs } of Object.values(outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      // The bundler names files from where it runs.
      if (bytesInOutput > 0 && !isStub(file)) files.add(relative(root, resolve(file)));
    }
  }
  return [...files].toSorted();
}

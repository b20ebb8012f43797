import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { noticeOf, resolvePackage } from "../../src/commands/licenses/notices.ts";
import { packagesOf } from "../notices.ts";
import type { Part } from "./bill-of-materials.ts";
import { lockedHashes } from "./lock-file.ts";

const links = v.object({
  dependencies: v.fallback(v.record(v.string(), v.string()), {}),
  peerDependencies: v.fallback(v.record(v.string(), v.string()), {}),
  optionalDependencies: v.fallback(v.record(v.string(), v.string()), {}),
});

/** The packages that these files of a bundle come from, sorted by folder, each once. */
export function partsOf(root: string, inputs: readonly string[]): Part[] {
  const hashes = lockedHashes(readFileSync(join(root, "bun.lock"), "utf8"));
  const folders = packagesOf(root, inputs);
  const ids = new Map(
    folders.map((folder) => {
      const { name, version } = noticeOf(folder);
      return [folder, `${name}@${version}`] as const;
    }),
  );
  const parts = folders.map((folder): Part => {
    const { name, version, license } = noticeOf(folder);
    const manifest = v.parse(links, JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
    const needed = new Set(
      [manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies]
        .flatMap((group) => Object.keys(group))
        .map((dependency) => ids.get(resolvePackage(dependency, folder) ?? ""))
        .filter((id) => id !== undefined),
    );
    return {
      name,
      version,
      license,
      dependencies: [...needed],
      sha512: hashes.get(`${name}@${version}`) ?? null,
    };
  });
  // Two folders may hold the same package.
  return [...new Map(parts.map((part) => [`${part.name}@${part.version}`, part])).values()];
}

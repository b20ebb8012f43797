import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";

/** One package and the terms it comes under. */
export interface Notice {
  name: string;
  version: string;
  /** SPDX expression as the package states it. */
  license: string;
  /** Its licence and notice files; "" where the package holds none. */
  text: string;
}

const manifest = v.object({
  name: v.string(),
  version: v.fallback(v.string(), ""),
  license: v.fallback(v.string(), "not stated"),
  dependencies: v.fallback(v.record(v.string(), v.string()), {}),
});

/** The notice of the package in `folder`. Throws where there is no package. */
export function noticeOf(folder: string): Notice {
  const { name, version, license } = readManifest(folder);
  const text = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)([.-].*)?$/i.test(file))
    .toSorted()
    .map((file) => readFileSync(join(folder, file), "utf8").trim())
    .join("\n\n");
  return { name, version, license, text };
}

/** Sorted by name, each package and version once. */
export function noticesOf(folders: Iterable<string>): Notice[] {
  const notices = new Map<string, Notice>();
  for (const folder of folders) {
    const notice = noticeOf(folder);
    notices.set(`${notice.name}@${notice.version}`, notice);
  }
  return [...notices.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The folder of the package that a bundled file belongs to, null for a file of Revka's own. */
export function packageFolder(file: string): string | null {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? null;
}

/** Folders of every package that Revka in `root` may load: its dependencies and theirs, as far as installed. */
export function installedPackages(root: string): string[] {
  const found = new Set<string>();
  const visit = (folder: string) => {
    for (const name of Object.keys(readManifest(folder).dependencies)) {
      const dependency = resolvePackage(name, folder);
      if (dependency === null || found.has(dependency)) continue;
      found.add(dependency);
      visit(dependency);
    }
  };
  visit(root);
  return [...found];
}

/** The folder that `name` is imported from in `from`, null where it is not installed. */
export function resolvePackage(name: string, from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (dirname(folder) === folder) return null;
  }
}

function readManifest(folder: string): v.InferOutput<typeof manifest> {
  return v.parse(manifest, JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NoticesFile } from "../src/commands/licenses.ts";
import { noticesOf, packageFolder, type Notice } from "../src/commands/licenses/notices.ts";

/** What `revka licenses` tells of a binary made of these files, which are relative to `root`. */
export function collectNotices(root: string, inputs: readonly string[]): NoticesFile {
  return {
    own: readFileSync(join(root, "LICENSE"), "utf8").trim(),
    packages: [runtimeNotice(root), ...noticesOf(packagesOf(root, inputs))],
  };
}

/** Folders of the packages that the files belong to, sorted. Pure. */
export function packagesOf(root: string, inputs: readonly string[]): string[] {
  const folders = inputs.map((input) => packageFolder(join(root, input)));
  return [...new Set(folders.filter((folder) => folder !== null))].toSorted();
}

/** The runtime that every binary begins with. It is no package of `node_modules`, so its notice is kept here. */
export function runtimeNotice(root: string): Notice {
  return {
    name: "bun",
    version: process.versions.bun,
    license: "MIT AND LGPL-2.0-or-later",
    text: readFileSync(join(root, "scripts/notices/bun.txt"), "utf8").trim(),
  };
}

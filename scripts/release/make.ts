import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describeLicenses } from "../../src/commands/licenses.ts";
import { buildExecutable } from "../build/executable.ts";
import type { Revision } from "../build/revision.ts";
import type { Target } from "../build/target.ts";
import type { Variant } from "../build/variant.ts";
import { collectNotices, runtimeNotice } from "../notices.ts";
import { billOfMaterials } from "./bill-of-materials.ts";
import { checksums } from "./checksums.ts";
import { compress } from "./compress.ts";
import { documentNames, executableName } from "./names.ts";
import { partsOf } from "./parts.ts";
import { sourceArchive } from "./source.ts";
import { tarOf } from "./tar.ts";

const installer = "install.sh";

export interface ReleaseOptions {
  root: string;
  revision: Revision;
  targets: readonly Target[];
  variants: readonly Variant[];
  /** Make a `.tar.xz` of every executable too, and one of the commit's source? */
  archives: boolean;
  /** How many archives are compressed at the same time. */
  sideBySide: number;
  /** Files of an earlier release are removed from it first. */
  folder: string;
  say(line: string): void;
}

/**
 * Fills a folder with executables, archives, bills of materials, notices and `SHA256SUMS`. The same commit gives the
 * same bytes (archives: with the same version of xz). Throws where one of them cannot be made.
 */
export async function makeRelease(options: ReleaseOptions): Promise<void> {
  const { root, revision, folder, say } = options;
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (/^(revka-\d|SHA256SUMS$)/.test(name)) rmSync(join(folder, name));
  }
  const names: string[] = [];
  const archives: Archive[] = [];
  for (const variant of options.variants) {
    let documents: string[] | null = null;
    for (const target of options.targets) {
      const name = executableName(revision.version, target, variant);
      const outfile = join(folder, name);
      const { inputs } = await buildExecutable({ root, variant, target, revision, outfile });
      documents ??= writeDocuments(options, variant, inputs);
      names.push(name);
      archives.push({ name, variant, target });
      say(size(folder, name));
    }
    names.push(...(documents ?? []));
  }
  if (options.archives) {
    const waiting = [...archives];
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        names.push(await writeArchive(options, next));
      }
    };
    await Promise.all(Array.from({ length: options.sideBySide }, work));
    const source = `revka-${revision.version}-source`;
    const [commit = ""] = revision.commit.split("+");
    await compress([sourceArchive(root, commit, source)], join(folder, `${source}.tar.xz`));
    names.push(`${source}.tar.xz`);
    say(size(folder, `${source}.tar.xz`));
  }
  copyFileSync(join(root, installer), join(folder, installer));
  names.push(installer);
  writeFileSync(join(folder, "SHA256SUMS"), await checksums(folder, names));
}

interface Archive {
  name: string;
  variant: Variant;
  target: Target;
}

/** The executable with what has to go along with it, in a folder of its own. Answers the archive's name. */
async function writeArchive(
  options: ReleaseOptions,
  { name, variant, target }: Archive,
): Promise<string> {
  const { root, revision, folder } = options;
  const documents = documentNames(revision.version, variant);
  const file = (path: string, from: string, executable = false) => ({
    path: `${name}/${path}`,
    content: readFileSync(from),
    executable,
  });
  const pieces = tarOf(
    [
      file("revka", join(folder, name), true),
      file("LICENSE", join(root, "LICENSE")),
      file("NOTICES.txt", join(folder, documents.notices)),
      file("revka.cdx.json", join(folder, documents.billOfMaterials)),
    ],
    revision.committedAt,
  );
  const archive = `${name}.tar.xz`;
  await compress(pieces, join(folder, archive), target);
  options.say(size(folder, archive));
  return archive;
}

/** Bill of materials and notices of a variant, from the files that its bundle holds. Answers their names. */
function writeDocuments(
  { root, revision, folder }: ReleaseOptions,
  variant: Variant,
  inputs: readonly string[],
): string[] {
  const names = documentNames(revision.version, variant);
  const bill = billOfMaterials(variant, revision, runtimeNotice(root), partsOf(root, inputs));
  writeFileSync(join(folder, names.billOfMaterials), `${JSON.stringify(bill, null, 2)}\n`);
  const { own, packages } = collectNotices(root, inputs);
  const title = `revka ${revision.version} (${variant}, ${revision.commit})`;
  writeFileSync(join(folder, names.notices), describeLicenses(own, packages, true, title));
  return Object.values(names);
}

function size(folder: string, name: string): string {
  return `${(statSync(join(folder, name)).size / 1e6).toFixed(1).padStart(6)} MB  ${name}`;
}

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readRevision } from "../build/revision.ts";
import { hostTarget } from "../build/target.ts";
import { compress } from "../release/compress.ts";
import { makeRelease } from "../release/make.ts";
import { executableName } from "../release/names.ts";
import { tarOf } from "../release/tar.ts";
import { meets, targetText, type Bench, type BenchContext, type Section } from "./section.ts";
import { ratioRow } from "./section.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const megabyte = 1e6;

async function run(context: BenchContext): Promise<Section> {
  const hello = context.binaries.bare("hello");
  const released = await release(context);
  const inMegabytes = (bytes: number) => (bytes / megabyte).toFixed(1);
  const size = { revka: statSync(released).size, baseline: statSync(hello).size };
  const packed = {
    revka: statSync(`${released}.tar.xz`).size,
    baseline: await packedSize(hello, context),
  };
  const most = 36;
  return {
    rows: [
      ratioRow("executable, MB", [size], { most: 1.05 }, inMegabytes),
      {
        ...ratioRow("`.tar.xz`, MB", [packed], null, inMegabytes),
        target: targetText({ most }, " MB"),
        met: meets(packed.revka / megabyte, { most }),
      },
    ],
    notes: [
      "The baseline is a compiled program that prints one word. Both are packed as `bun run release` packs; Revka's archive holds its licences and its bill of materials too.",
    ],
  };
}

/** The default variant for this machine as a release has it; its archive lies beside it. */
async function release(context: BenchContext): Promise<string> {
  const revision = readRevision(root);
  const target = hostTarget();
  const folder = join(context.scratch, "release");
  await makeRelease({
    root,
    revision,
    targets: [target],
    variants: ["default"],
    archives: true,
    sideBySide: 1,
    folder,
    say: context.say,
  });
  return join(folder, executableName(revision.version, target, "default"));
}

async function packedSize(file: string, context: BenchContext): Promise<number> {
  context.say("packing the bare runtime");
  const archive = join(context.scratch, "hello.tar.xz");
  const entry = { path: "hello/hello", content: readFileSync(file), executable: true };
  await compress(tarOf([entry], 0), archive, hostTarget());
  return statSync(archive).size;
}

export const size: Bench = {
  about: "The default variant against the bare runtime: a compiled program that prints one word.",
  run,
};

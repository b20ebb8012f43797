import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { meets, targetText, type Bench, type BenchContext, type Section } from "./section.ts";
import { ratioRow } from "./section.ts";

const megabyte = 1e6;

async function run(context: BenchContext): Promise<Section> {
  const hello = context.binaries.bare("hello");
  const revka = context.binaries.revka();
  const inMegabytes = (bytes: number) => (bytes / megabyte).toFixed(1);
  const size = { revka: statSync(revka).size, baseline: statSync(hello).size };
  context.say("compressing");
  const packed = { revka: packedSize(revka, context), baseline: packedSize(hello, context) };
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
    notes: ["The baseline is a compiled program that prints one word. Packed with `xz -9e`."],
  };
}

function packedSize(file: string, context: BenchContext): number {
  const archive = join(context.scratch, `${basename(file)}.tar.xz`);
  const run = spawnSync("tar", [
    "-C",
    dirname(file),
    "-I",
    "xz -9e",
    "-cf",
    archive,
    basename(file),
  ]);
  if (run.status !== 0) throw new Error(`tar and xz are needed: ${run.stderr}`);
  return statSync(archive).size;
}

export const size: Bench = {
  about: "The default variant against the bare runtime: a compiled program that prints one word.",
  run,
};

import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import type { RequestFile } from "./requests.ts";

const script = fileURLToPath(new URL("./load/wrk.lua", import.meta.url));
const generator = fileURLToPath(new URL("./load/generator.ts", import.meta.url));

const resultShape = v.object({
  requests: v.number(),
  seconds: v.number(),
  /** Milliseconds. */
  p50: v.number(),
  p99: v.number(),
  errors: v.number(),
});

export type LoadResult = v.InferOutput<typeof resultShape>;

export interface Load {
  port: number;
  requests: RequestFile;
  /** The first request of the file to send. */
  first: number;
  /** Open at once, each with one request under way. */
  connections: number;
  seconds: number;
}

let wrk: boolean | undefined;

/** Is wrk there? Without it a generator of our own takes its place, which is slower and so flatters Revka. */
export function hasWrk(): boolean {
  return (wrk ??= spawnSync("wrk", ["--version"]).error === undefined);
}

/** Posts from a process of its own as fast as the server answers. Throws where a request fails. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const { path, size, count } = load.requests;
  const words = [path, size, load.first, count].map(String);
  const [file, args] = hasWrk()
    ? [
        "wrk",
        ["-t1", `-c${load.connections}`, `-d${load.seconds}s`, "-s", script].concat(
          `http://127.0.0.1:${load.port}`,
          "--",
          words,
        ),
      ]
    : [
        process.execPath,
        [generator, String(load.port), ...words, String(load.connections), String(load.seconds)],
      ];
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (said += part));
  await new Promise((resolve) => child.once("close", resolve));
  const line = said.trim().split("\n").at(-1) ?? "";
  const result = v.parse(resultShape, JSON.parse(line));
  if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} requests failed`);
  return result;
}

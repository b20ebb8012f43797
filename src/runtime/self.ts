import { fileURLToPath } from "node:url";
import { buildInfo } from "./build-info.ts";

/** How to run this very program again with other words: a file and its arguments. */
export function selfCommand(words: readonly string[]): { file: string; args: string[] } {
  if (buildInfo.target !== "source") return { file: process.execPath, args: [...words] };
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  const runner = "Deno" in globalThis ? ["run", "--allow-all"] : [];
  return { file: process.execPath, args: [...runner, main, ...words] };
}

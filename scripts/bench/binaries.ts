import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Programs that are measured, each built once, when it is first asked for. */
export interface Binaries {
  /** The default variant, or the executable given on the command line. */
  revka(): string;
  /** The whatsapp-web variant, which trusts the stand-in for WhatsApp. */
  revkaWeb(): string;
  /** A compiled program of `scripts/bench/bare/`. */
  bare(name: "hello" | "server" | "echo" | "keeper" | "web"): string;
}

/** `given` is an executable of Revka to take instead of building one. */
export function binaries(scratch: string, given: string | null): Binaries {
  const built = new Map<string, string>();
  const once = (name: string, words: (outfile: string) => string[]) => {
    const known = built.get(name);
    if (known) return known;
    const outfile = join(scratch, name);
    const run = spawnSync(process.execPath, words(outfile), { cwd: root, encoding: "utf8" });
    if (run.status !== 0) throw new Error(`cannot build ${name}:\n${run.stderr}`);
    built.set(name, outfile);
    return outfile;
  };
  return {
    revka: () => given ?? once("revka", (outfile) => ["scripts/build.ts", `--outfile=${outfile}`]),
    revkaWeb: () => once("revka-web", (outfile) => ["scripts/bench/build-web.ts", outfile]),
    bare: (name) =>
      once(`bare-${name}`, (outfile) => [
        "build",
        "--compile",
        "--minify",
        "--bytecode",
        "--format=cjs",
        "--no-compile-autoload-dotenv",
        "--no-compile-autoload-bunfig",
        `scripts/bench/bare/${name}.ts`,
        `--outfile=${outfile}`,
      ]),
  };
}

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeNotices } from "./notices.ts";

/**
 * Builds one executable: `bun run build [--features whatsapp-web] [--target linux-arm64] [--outfile FILE]`. Without a
 * target it is for this machine, in `dist/`.
 */

const root = join(import.meta.dir, "..");
const { values } = parseArgs({
  options: {
    features: { type: "string" },
    target: { type: "string" },
    outfile: { type: "string" },
  },
});

const features = values.features?.split(",").filter(Boolean) ?? [];
const unknown = features.filter((feature) => feature !== "whatsapp-web");
if (unknown.length > 0) {
  console.error(`build: unknown feature "${unknown.join(", ")}"; there is whatsapp-web`);
  process.exit(2);
}
const web = features.includes("whatsapp-web");
const host = `${process.platform}-${process.arch}`;
const target = values.target ?? host;
const suffix = values.target ? `-${values.target}` : "";
const outfile = values.outfile ?? join(root, "dist", `revka${suffix}${web ? "-whatsapp-web" : ""}`);

const version: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
const commit = git("rev-parse", "--short=12", "HEAD") ?? "unknown";
/** The commit's own time, so that two builds of one commit are the same. */
const builtAt = Number(git("log", "-1", "--format=%ct") ?? 0) * 1000;

mkdirSync(join(root, "dist"), { recursive: true });
const defines: Record<string, string> = {
  REVKA_VERSION: JSON.stringify(version),
  REVKA_COMMIT: JSON.stringify(commit),
  REVKA_TARGET: JSON.stringify(target),
  REVKA_BUILT_AT: String(builtAt),
  REVKA_WHATSAPP_WEB: String(web),
};
// What `revka licenses` prints: the packages that a build with these defines really takes in.
const notices = join(root, "dist", `notices-${web ? "whatsapp-web" : "default"}.json`);
writeNotices(root, defines, notices);
defines["REVKA_NOTICES_FILE"] = JSON.stringify(notices);
const run = spawnSync(
  process.execPath,
  [
    "build",
    "--compile",
    "--minify",
    "--bytecode",
    "--format=cjs",
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    `--target=bun-${target}`,
    ...Object.entries(defines).flatMap(([name, value]) => ["--define", `${name}=${value}`]),
    join(root, "src/main.ts"),
    `--outfile=${outfile}`,
  ],
  { cwd: root, stdio: ["ignore", "ignore", "inherit"] },
);
if (run.status !== 0) {
  console.error(`build: the bundler failed (exit ${run.status})`);
  process.exit(1);
}
const megabytes = (statSync(outfile).size / 1e6).toFixed(1);
console.log(`${outfile} (${megabytes} MB, ${web ? "whatsapp-web" : "default"}, ${target})`);

function git(...words: string[]): string | null {
  const result = spawnSync("git", words, { cwd: root, encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : null;
}

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, type LoadOptions } from "../../src/config/load.ts";
import { ConfigError, formatProblem } from "../../src/config/problems.ts";

export const folder = mkdtempSync(join(tmpdir(), "revka-config-"));
// Several test files share it, so it goes with the process.
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "config.toml");

/** Loads `toml` as the file; throws {@link ConfigError}. */
export const load = (toml: string, options: Partial<LoadOptions> = {}) => {
  writeFileSync(file, toml);
  return loadConfig({ path: file, env: {}, home: "/home/ada", ...options });
};

/** What a person reads, the file's name shortened to its last part. */
export const complaints = (toml: string, options: Partial<LoadOptions> = {}): string[] => {
  try {
    load(toml, options);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ""));
  }
};

/** The warnings of a file that works, as a person reads them. */
export const warnings = (toml: string): string[] =>
  load(toml).warnings.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ""));

/** Files that work, to build on. */
export const echo = '[agent]\nkind = "echo"\n';
export const cloud = `${echo}[channels_config.whatsapp]\nphone_number_id = "1"\naccess_token = "tttt"\nverify_token = "vvvv"\n`;
export const web = `${echo}[channels_config.whatsapp]\nsession_path = "/s.db"\n`;
export const wati = `${echo}[channels_config.wati]\napi_token = "tttt"\n`;

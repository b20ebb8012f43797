import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, type LoadOptions } from "../../src/config/load.ts";
import { ConfigError, formatProblem } from "../../src/config/problems.ts";

export const folder = join(tmpdir(), `revka-config-${process.pid}`);
const file = join(folder, "config.toml");

/** For `afterAll` of each file that loads something. */
export const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });

/** Loads `toml` as the file; throws {@link ConfigError}. */
export const load = (toml: string, options: Partial<LoadOptions> = {}) => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
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

/** What is said of addresses, whichever key they stand under. */
export const notLoopback =
  "expected https://, because http:// is allowed to a loopback address only";
export const notAProxy =
  "expected the address of a proxy that begins with http://, https://, socks5:// or socks5h://";

import { loadConfig, type LoadedConfig, type LoadOptions } from "./load.ts";
import { resolvePaths } from "./paths.ts";
import { readConfigText } from "./toml.ts";

/** As {@link loadConfig}, which see, of any file: what decrypts secrets is loaded where there may be some. */
export async function readConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { config } = resolvePaths(options.path, options.env, options.home);
  const text = readConfigText(config, Boolean(options.path));
  if (!mayHoldEncrypted(text)) return loadConfig({ ...options, text });
  const { decryptSecrets } = await import("./encrypted.ts");
  return loadConfig({ ...options, text, decrypt: decryptSecrets });
}

/** Whether the text of a config may hold a secret that the original encrypted. */
export function mayHoldEncrypted(text: string): boolean {
  return /\benc2?:/.test(text);
}

import { loadConfig, type LoadedConfig, type LoadOptions } from "./load.ts";
import { DecipherWanted, type Decipher } from "./sealed.ts";

/** As {@link loadConfig}, which see, of any file: what opens sealed secrets is loaded where there are some. */
export async function readConfig(options: LoadOptions): Promise<LoadedConfig> {
  try {
    return loadConfig(options);
  } catch (error) {
    if (!(error instanceof DecipherWanted)) throw error;
    return loadConfig({ ...options, decipher: await loadDecipher() });
  }
}

async function loadDecipher(): Promise<Decipher> {
  const { chacha20poly1305 } = await import("@noble/ciphers/chacha.js");
  return (sealed, nonce, key) => {
    try {
      return chacha20poly1305(key, nonce).decrypt(sealed);
    } catch {
      return null;
    }
  };
}

import { loadConfig, SealedSecrets, type LoadedConfig, type LoadOptions } from "./load.ts";

/** As {@link loadConfig}, which see, of any file: what opens sealed secrets is loaded where there may be some. */
export async function readConfig(options: LoadOptions): Promise<LoadedConfig> {
  try {
    return loadConfig(options);
  } catch (error) {
    if (!(error instanceof SealedSecrets)) throw error;
    const { openSealed } = await import("./sealed.ts");
    return loadConfig({ ...options, sealed: { text: error.text, open: openSealed } });
  }
}

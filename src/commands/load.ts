import type { LoadedConfig } from "../config/load.ts";
import type { Invocation } from "./command.ts";
import { homeOf } from "./running-daemon.ts";

/** The configuration this call means. Imported only here, since it costs several milliseconds. Throws `ConfigError`. */
export async function load({
  configFile,
  env,
}: Pick<Invocation, "configFile" | "env">): Promise<LoadedConfig> {
  const { readConfig } = await import("../config/read.ts");
  return readConfig({ path: configFile ?? null, env, home: homeOf(env) });
}

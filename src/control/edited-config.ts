import { resolve } from "node:path";
import { variable, type Environment } from "../config/paths.ts";

/**
 * The config that a person edits, absolute: of one that systemd handed over as a credential, which nobody can change, the
 * file that the unit names in REVKA_CONFIG.
 */
export function editedConfig(path: string, env: Environment): string {
  const folder = variable(env, "CREDENTIALS_DIRECTORY");
  const handedOver = folder !== null && path.startsWith(`${folder}/`);
  return resolve((handedOver ? variable(env, "REVKA_CONFIG") : null) ?? path);
}

import { basename, resolve } from "node:path";
import { existsSync } from "node:fs";
import { secretKeyBeside } from "../config/paths.ts";
import { mayHoldEncrypted } from "../config/read.ts";
import { readConfigText } from "../config/toml.ts";
import type { ServiceRequest } from "./plan.ts";

/**
 * The key of the secrets that the original wrote encrypted into `config`, as a credential: a config that is handed over
 * as one is no longer beside its key, so that goes along, under the name that is looked for beside it. None where the
 * file holds no such secret, or no key is there.
 */
export function secretKeyCredential(config: string): ServiceRequest["credentials"] {
  const file = resolve(secretKeyBeside(config));
  if (!existsSync(file) || !mayHoldEncrypted(readConfigText(config))) return [];
  return [{ name: basename(file), file }];
}

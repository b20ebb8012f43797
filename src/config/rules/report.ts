import type { Config } from "../schema.ts";
import type { KeyPath } from "../problems.ts";

/** What a rule is given: the configuration, and where to say what is wrong with it. */
export interface RuleContext {
  config: Config;
  /** Does the file set this key? */
  given(path: KeyPath): boolean;
  /** Has this key a wrong type or value, so that its default stands in the configuration instead? */
  faulty(path: KeyPath): boolean;
  /** The file cannot be used. `path` may name a key that is missing. */
  error(path: KeyPath, message: string): void;
  /** The daemon starts all the same. */
  warn(path: KeyPath, message: string): void;
}

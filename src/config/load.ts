import * as v from "valibot";
import { overlay, type GatewayOverrides, type Overlay } from "./environment.ts";
import { outlineOf, type Outline } from "./outline.ts";
import { expandPathKeys, resolvePaths, type Environment, type Paths } from "./paths.ts";
import { withKnownNames } from "./other-names.ts";
import { findPositions, type Positions } from "./positions.ts";
import { ConfigError, formatKey, sortProblems, type KeyPath, type Problem } from "./problems.ts";
import { unknownKeys, valueAt, without, withoutBlanks, type RawTable } from "./raw.ts";
import { once } from "../runtime/once.ts";
import { checkAgent } from "./rules/agent.ts";
import { checkGateway } from "./rules/gateway.ts";
import { checkProxy, checkSpeech, checkTunnel } from "./rules/network.ts";
import type { RuleContext } from "./rules/report.ts";
import { checkHeaderSecrets } from "./rules/secrets.ts";
import { checkWati, checkWhatsApp } from "./rules/whatsapp.ts";
import { configSchema, type Config } from "./schema.ts";
import { collectSecrets } from "./secrets.ts";
import { normalise } from "./normalise.ts";
import { parseConfigText, readConfigText } from "./toml.ts";
import { typeProblems } from "./type-problems.ts";

export interface LoadOptions {
  /** `--config`, or null. */
  path: string | null;
  env: Environment;
  /** The person's home directory: what `~` stands for. */
  home: string;
  /** `--host` and `--port`. */
  gateway?: GatewayOverrides;
  /** The file's text, where it was read before: it may have come from a pipe. */
  text?: string;
  /** Decrypts what the original encrypted; without it, such secrets stay as they are. */
  decrypt?: DecryptSecrets;
}

/** Decrypts the secrets that the original encrypted; those that it cannot stay as they are and are told of. */
export type DecryptSecrets = (
  values: RawTable,
  outline: Outline,
  configPath: string,
  origins: ReadonlyMap<string, unknown>,
) => { values: RawTable; problems: { path: KeyPath; message: string }[] };

export interface LoadedConfig {
  /** Defaults applied, environment laid over it, `~` expanded, blanks gone. */
  config: Config;
  /** The file it was read from. */
  path: string;
  /** Where Revka's own files lie; `store` honours `[store] path`. */
  paths: Paths;
  warnings: Problem[];
  /** Values that must never appear in a log line. */
  secrets: string[];
}

const rules = [
  checkAgent,
  checkGateway,
  checkProxy,
  checkSpeech,
  checkTunnel,
  checkWhatsApp,
  checkWati,
  checkHeaderSecrets,
];

const knownOutline = once(() => outlineOf(configSchema));

/**
 * Reads and checks the configuration. Throws {@link ConfigError} with every problem of the file at once; unknown keys
 * and keys without effect are warnings.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { path, env, home, gateway = {} } = options;
  const outline = knownOutline();
  const paths = resolvePaths(path, env, home);
  const text = options.text ?? readConfigText(paths.config, Boolean(path));
  const { table: raw, spelled } = withKnownNames(
    withoutBlanks(parseConfigText(text, paths.config), outline),
  );
  const laid = overlay(raw, env, gateway);
  const report = new FileReport(
    paths.config,
    once(() => findPositions(text)),
    laid,
    spelled,
  );
  report.problems.push(...laid.problems);
  report.warnings.push(...laid.warnings);

  const decrypted = options.decrypt?.(laid.values, outline, paths.config, laid.origins);
  for (const { path, message } of decrypted?.problems ?? []) report.error(path, message);
  const values = expandPathKeys(decrypted?.values ?? laid.values, outline, home);
  const checked = v.safeParse(configSchema, values);
  const bad = typeProblems(checked.issues ?? [], laid.values, outline);
  for (const { path, message } of bad) report.error(path, message);
  // The rules run on what is left, so that a person sees everything at once.
  const faulty = bad.map(({ path }) => path);
  const config =
    checked.success && faulty.length === 0
      ? checked.output
      : v.parse(configSchema, without(values, faulty));
  for (const rule of rules) rule(ruleContext(config, raw, report));
  warnOfUnknownKeys(raw, outline, report);
  if (report.problems.length > 0) {
    throw new ConfigError(sortProblems(report.problems), sortProblems(report.warnings));
  }

  const ready = normalise(config, home);
  if (gateway.port !== undefined) ready.gateway.port = gateway.port;
  return {
    config: ready,
    path: paths.config,
    paths: { ...paths, store: ready.store.path ?? paths.store },
    warnings: sortProblems(report.warnings),
    secrets: collectSecrets(ready, outline, env),
  };
}

/** Turns key paths into places a person can find. */
class FileReport {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  /** Keys that already have a problem: whatever else a rule says of them is its consequence. */
  readonly #faulty = new Set<string>();

  constructor(
    readonly file: string,
    readonly positions: () => Positions,
    readonly laid: Overlay,
    /** A key as the file spells it. */
    readonly spelled: (path: KeyPath) => KeyPath,
  ) {}

  error(path: KeyPath, message: string): void {
    const key = formatKey(path);
    if (this.#faulty.has(key)) return;
    this.#faulty.add(key);
    // A bad item takes its whole list along.
    const index = path.findIndex((part) => typeof part === "number");
    if (index !== -1) this.#faulty.add(formatKey(path.slice(0, index)));
    this.problems.push(this.#problem(path, key, message));
  }

  faulty(path: KeyPath): boolean {
    return this.#faulty.has(formatKey(path));
  }

  warn(path: KeyPath, message: string): void {
    this.warnings.push(this.#problem(path, formatKey(path), message));
  }

  #problem(path: KeyPath, key: string, message: string): Problem {
    const origin = this.laid.origins.get(key);
    if (origin) return { ...origin, line: null, message };
    const inFile = this.spelled(path);
    const line = this.positions().lineOf(inFile);
    return { file: this.file, line, key: formatKey(inFile), message };
  }
}

function ruleContext(config: Config, raw: RawTable, report: FileReport): RuleContext {
  return {
    config,
    given: (path) => valueAt(raw, path) !== undefined,
    faulty: (path) => report.faulty(path),
    error: (path, message) => report.error(path, message),
    warn: (path, message) => report.warn(path, message),
  };
}

function warnOfUnknownKeys(raw: RawTable, outline: Outline, report: FileReport): void {
  for (const { path, nearest, section } of unknownKeys(raw, outline)) {
    if (nearest !== null) report.warn(path, `unknown key, ignored; did you mean "${nearest}"?`);
    else
      report.warn(
        path,
        section ? "a section that means nothing here, ignored" : "unknown key, ignored",
      );
  }
}

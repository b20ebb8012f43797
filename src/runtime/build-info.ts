// Set by `bun build --define`; absent when Revka runs from source. A file that must drop the other variant's code
// tests REVKA_WHATSAPP_WEB itself: the bundler folds a define, not a constant of another module.
declare const REVKA_VERSION: string | undefined;
declare const REVKA_COMMIT: string | undefined;
declare const REVKA_TARGET: string | undefined;
declare const REVKA_BUILT_AT: number | undefined;
declare const REVKA_WHATSAPP_WEB: boolean | undefined;

export interface BuildInfo {
  version: string;
  variant: "default" | "whatsapp-web";
  /** Such as `bun-linux-x64`, or `source`. */
  target: string;
  /** Abbreviated commit, or `source`. */
  commit: string;
  /** Unix milliseconds of the build; 0 when run from source. */
  builtAt: number;
}

export const buildInfo: BuildInfo = {
  version: typeof REVKA_VERSION === "string" ? REVKA_VERSION : versionOfSource(),
  variant:
    typeof REVKA_WHATSAPP_WEB === "boolean" && !REVKA_WHATSAPP_WEB ? "default" : "whatsapp-web",
  target: typeof REVKA_TARGET === "string" ? REVKA_TARGET : "source",
  commit: typeof REVKA_COMMIT === "string" ? REVKA_COMMIT : "source",
  builtAt: typeof REVKA_BUILT_AT === "number" ? REVKA_BUILT_AT : 0,
};

/** `revka 0.1.0 (whatsapp-web, bun-linux-x64, 1a2b3c4)`: what `revka --version` prints. */
export function versionLine(info: BuildInfo = buildInfo): string {
  return `revka ${info.version} (${info.variant}, ${info.target}, ${info.commit})`;
}

function versionOfSource(): string {
  // Not imported: in a build nothing needs it, and it takes a millisecond.
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const manifest: unknown = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  const version =
    typeof manifest === "object" && manifest !== null && "version" in manifest
      ? manifest.version
      : undefined;
  return typeof version === "string" ? version : "0.0.0";
}

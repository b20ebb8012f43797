import { statSync } from "node:fs";
import { compileAccess, type AccessRules } from "../../access/admission.ts";
import { gateCompilerFor } from "../../access/gate.ts";
import { configFileMode } from "../../config/file-mode.ts";
import { secretKeyBeside } from "../../config/paths.ts";
import { formatProblem } from "../../config/problems.ts";
import { selectBackend } from "../../config/select.ts";
import { buildInfo } from "../../runtime/build-info.ts";
import { shellQuote } from "../../runtime/shell-quote.ts";
import { error, info, ok, warning, type Examination, type Probe, type Verdict } from "./probe.ts";

export const configProbes: Probe[] = [
  { group: "config", name: "file", run: ({ loaded }) => fileVerdicts(loaded) },
  { group: "config", name: "home", run: ({ loaded }) => homeVerdicts(loaded.paths.home) },
  { group: "config", name: "channels", run: channelVerdicts },
  { group: "config", name: "who is answered", run: accessVerdicts },
];

function fileVerdicts({ path, warnings }: Examination["loaded"]): Verdict[] {
  const verdicts = [ok("file", `${path} is valid`)];
  for (const file of [path, secretKeyBeside(path)]) {
    if (!configFileMode(file)?.readableByOthers) continue;
    const problem = `${file} holds secrets and others can read it`;
    verdicts.push(warning("file mode", problem, `chmod 600 ${shellQuote(file)}`));
  }
  for (const problem of warnings) {
    verdicts.push(warning("key", formatProblem(problem), "mend or remove the key"));
  }
  return verdicts;
}

function homeVerdicts(home: string): Verdict[] {
  const stats = statSync(home, { throwIfNoEntry: false });
  if (!stats) return [info("home", `${home} does not exist yet; the daemon creates it`)];
  if (!stats.isDirectory()) {
    return [error("home", `${home} is no folder`, "move it away, or set REVKA_HOME")];
  }
  const open = process.platform !== "win32" && (stats.mode & 0o077) !== 0;
  return open
    ? [warning("home", `others may look into ${home}`, `chmod 700 ${shellQuote(home)}`)]
    : [ok("home", `${home} is yours alone`)];
}

const skipAdvice = {
  "config-invalid": "mend [channels_config.whatsapp]",
  "feature-missing": "start the executable of the whatsapp-web variant instead of this one",
};

function channelVerdicts({ loaded }: Examination): Verdict[] {
  const { whatsapp, wati } = loaded.config.channels_config;
  const verdicts: Verdict[] = [];
  const selection = selectBackend(whatsapp, { whatsappWeb: buildInfo.variant === "whatsapp-web" });
  if (selection.kind === "skip") {
    verdicts.push(error("whatsapp", selection.message, skipAdvice[selection.code]));
  } else if (selection.kind === "run") {
    verdicts.push(
      selection.warning
        ? warning("whatsapp", selection.warning, "keep the one you mean")
        : ok("whatsapp", `runs as ${selection.backend}`),
    );
  }
  if (wati) verdicts.push(ok("wati", "is configured"));
  if (verdicts.length === 0) {
    verdicts.push(
      error(
        "channels",
        "no channel is configured, so no message can come in",
        "add [channels_config.whatsapp] or [channels_config.wati]; a new config: revka init --config FILE",
      ),
    );
  }
  return verdicts;
}

/** Who would be let in, judged by the rules of admission themselves. */
async function accessVerdicts({ loaded }: Examination): Promise<Verdict[]> {
  const { whatsapp, wati } = loaded.config.channels_config;
  const compileGate = await gateCompilerFor(whatsapp);
  const selection = selectBackend(whatsapp, { whatsappWeb: true });
  const verdicts: Verdict[] = [];
  if (whatsapp && selection.kind === "run") {
    const rules = compileAccess({ backend: selection.backend, config: whatsapp }, compileGate);
    verdicts.push(...rulesVerdicts("whatsapp", rules, whatsapp.allowed_numbers));
  }
  if (wati) {
    const rules = compileAccess({ backend: "wati", config: wati }, compileGate);
    verdicts.push(...rulesVerdicts("wati", rules, wati.allowed_numbers));
  }
  return verdicts;
}

function rulesVerdicts(channel: string, rules: AccessRules, allowed: readonly string[]): Verdict[] {
  const key = `channels_config.${channel}.allowed_numbers`;
  const verdicts = rules.notices.map((notice) =>
    notice.level === "error"
      ? error(
          "mention gate",
          `${notice.key}: ${notice.message}`,
          "mend the patterns or remove them",
        )
      : warning("entry", `${notice.key}: ${notice.message}`, "mend or remove it"),
  );
  const counted = allowed.length - rules.allowlist.invalid.length;
  if (counted === 0) {
    const empty = allowed.length === 0 ? "is empty" : "has no entry that counts";
    verdicts.push(
      warning("allowlist", `${key} ${empty}, so nobody is answered`, `add numbers to ${key}`),
    );
  } else if (rules.allowlist.everybody) {
    verdicts.push(info("allowlist", `${key} lets everybody in`));
  } else {
    const count = counted === 1 ? "1 entry" : `${counted} entries`;
    verdicts.push(ok("allowlist", `${key} has ${count}`));
  }
  return verdicts;
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { currentUserName } from "../../service/accounts.ts";
import { detectManager } from "../../service/detect.ts";
import { ServiceRefusal } from "../../service/plan.ts";
import { homeOf } from "../running-daemon.ts";
import { info, ok, warning, type Examination, type Probe, type Verdict } from "./probe.ts";

export const serviceProbes: Probe[] = [
  { group: "service", name: "service", run: (examination) => serviceVerdicts(examination) },
];

/** Read off the files that enabling makes, so that no service manager has to be asked. */
export function serviceVerdicts(
  { env }: Pick<Examination, "env">,
  root = "/",
  platform = process.platform,
): Verdict[] {
  const userUnits = join(homeOf(env), ".config/systemd/user");
  const systemUnits = join(root, "etc/systemd/system");
  if (existsSync(join(systemUnits, "revka.service"))) {
    return existsSync(join(systemUnits, "multi-user.target.wants/revka.service"))
      ? [ok("service", "is installed and starts at boot")]
      : [warning("service", "is installed, but does not start at boot", "systemctl enable revka")];
  }
  if (existsSync(join(userUnits, "revka.service"))) return userVerdicts(userUnits, root);
  if (existsSync(join(root, "etc/init.d/revka"))) {
    return existsSync(join(root, "etc/runlevels/default/revka"))
      ? [ok("service", "is installed and starts at boot")]
      : [warning("service", "is installed, but does not start at boot", "rc-update add revka")];
  }
  const plist = "com.revka.daemon.plist";
  if (existsSync(join(root, "Library/LaunchDaemons", plist))) {
    return [ok("service", "is installed and starts at boot")];
  }
  if (existsSync(join(homeOf(env), "Library/LaunchAgents", plist))) {
    return [ok("service", "is installed for you and starts when you log in")];
  }
  return [uninstalledVerdict(root, platform)];
}

/** What `service install` would refuse is not recommended. */
function uninstalledVerdict(root: string, platform: NodeJS.Platform): Verdict {
  try {
    detectManager(platform, (path) => existsSync(join(root, path)));
  } catch (reason) {
    if (!(reason instanceof ServiceRefusal)) throw reason;
    return info("service", `is not installed: ${reason.message}`);
  }
  return info(
    "service",
    "is not installed",
    "sudo revka service install starts Revka at every boot",
  );
}

function userVerdicts(userUnits: string, root: string): Verdict[] {
  const verdicts = [
    existsSync(join(userUnits, "default.target.wants/revka.service"))
      ? ok("service", "is installed for you")
      : warning("service", "is installed but not enabled", "systemctl --user enable revka"),
  ];
  const user = currentUserName();
  if (user && !existsSync(join(root, "var/lib/systemd/linger", user))) {
    verdicts.push(
      warning(
        "linger",
        "it stops when you log out and does not start at boot",
        "loginctl enable-linger",
      ),
    );
  }
  return verdicts;
}

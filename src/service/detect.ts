import { existsSync } from "node:fs";
import { ServiceRefusal } from "./plan.ts";

export const managers = ["systemd", "openrc", "launchd"] as const;
export type ServiceManager = (typeof managers)[number];

/** The service manager that runs this machine. Throws {@link ServiceRefusal} where there is none that is known. */
export function detectManager(
  platform: NodeJS.Platform = process.platform,
  exists: (path: string) => boolean = existsSync,
): ServiceManager {
  if (platform === "darwin") return "launchd";
  // sd_booted(3): this folder is there if and only if systemd is the init system.
  if (exists("/run/systemd/system")) return "systemd";
  if (exists("/run/openrc") || exists("/sbin/openrc-run")) return "openrc";
  throw new ServiceRefusal(
    "neither systemd, OpenRC nor launchd runs here; let your supervisor or container run `revka daemon`",
  );
}

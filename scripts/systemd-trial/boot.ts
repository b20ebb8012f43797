import { bootMachine, type Machine } from "../machine/machine.ts";

/** Services of the host's image that a machine without a console and devices cannot run. */
const masked = [
  "getty.target",
  "console-getty.service",
  "getty@tty1.service",
  "postgresql.service",
  "proc-sys-fs-binfmt_misc.automount",
  "systemd-udevd.service",
  "systemd-udev-trigger.service",
];

/** A machine that runs the systemd of this one. */
export function bootSystemd(files: Readonly<Record<string, string>>): Promise<Machine> {
  return bootMachine({
    name: "systemd",
    files,
    cgroup: true,
    furnish: `: > etc/machine-id
for unit in ${masked.join(" ")}; do ln -sf /dev/null etc/systemd/system/$unit; done`,
    // It hands credentials over by mounts that must spread.
    init: `container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c 'mount --make-rshared / && exec /lib/systemd/systemd --system --unit=multi-user.target'`,
    ready: (run) => /running|degraded/.test(run("systemctl", "is-system-running").out),
  });
}

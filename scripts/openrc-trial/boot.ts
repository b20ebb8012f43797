import { bootMachine, type Machine } from "../machine/machine.ts";

/** Services of a machine, as far as Revka's may depend on them: the script of each, in the runlevel `boot`. */
const services: Readonly<Record<string, string>> = {
  localmount: "start() { return 0; }",
  // Fails on demand, as where no DHCP server answers.
  networking:
    "depend() { need localmount; provide net; }\nstart() { ebegin Network; test ! -e /etc/no-network; eend $?; }",
  syslog:
    "depend() { need localmount; provide logger; }\nstart() { busybox syslogd -O /var/log/messages; }\nstop() { kill $(cat /run/syslogd.pid); }",
};

/** /etc/inittab of Alpine, without its terminals. */
const inittab = `::sysinit:/sbin/openrc sysinit
::sysinit:/sbin/openrc boot
::wait:/sbin/openrc default
::shutdown:/sbin/openrc shutdown`;

/**
 * A machine that runs OpenRC out of `layer` as Alpine does: started by the init of BusyBox, whose shell is /bin/sh and
 * whose tools come before those of this machine.
 */
export async function bootOpenrc(
  files: Readonly<Record<string, string>>,
  layer: string,
): Promise<Machine> {
  const written = Object.entries(services).map(
    ([name, script]) => `printf '#!/sbin/openrc-run\\n%s\\n' '${script}' > etc/init.d/${name}
chmod 755 etc/init.d/${name}
ln -s /etc/init.d/${name} etc/runlevels/boot/${name}`,
  );
  const machine = await bootMachine({
    name: "OpenRC",
    files,
    layer,
    cgroup: false,
    furnish: `rm -rf .dockerenv etc/init.d etc/conf.d etc/revka etc/runlevels/*/* var/log/revka.log*
mkdir -p etc/init.d etc/conf.d etc/runlevels/boot etc/insserv.conf.d etc/insserv/overrides
: > etc/insserv.conf
${written.join("\n")}
umask 077; echo 'permit nopass ada as root' > etc/doas.conf; umask 022
cat > etc/inittab <<'END'
${inittab}
END
for name in $(usr/bin/busybox --list); do
  [ "$name" = busybox ] || [ ! -e usr/bin/$name ] || ln -sf busybox usr/bin/$name
done`,
    init: "PATH=/sbin:/usr/sbin:/bin:/usr/bin /usr/bin/busybox init",
    ready: isUp,
  });
  // What is installed in the second in which the dependencies were noted would not be among them.
  await Bun.sleep(1_100);
  return machine;
}

const isUp = (run: Machine["run"]) =>
  run("sh", "-c", "rc-status --runlevel && test ! -e /run/openrc/rc.starting").out === "default";

/** Shuts down and starts again, all but the kernel: what lay in /run is gone, what lay on the disk is there. */
export function restartMachine(m: Machine): void {
  m.shell(`openrc shutdown; rm -rf /run/openrc /run/*.pid
openrc sysinit && openrc boot && openrc default`);
}

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** OpenRC as Debian has it. What else these need, every Debian has. */
const openrc = ["openrc", "libeinfo1", "librc1"];
/** The shell and tools of Alpine, what it has in place of sudo, and what turns logs over there and on Debian. */
const tools = ["busybox-static", "opendoas", "logrotate", "libpopt0"];

/**
 * Unpacks them into `folder`, as `apt-get` has them now; nothing is installed. With `own`, OpenRC is the one that lies
 * there, as its `meson install` with `DESTDIR` leaves it. Returns the folder to lay over a machine.
 */
export function unpackOpenrc(folder: string, own?: string): string {
  const downloads = join(folder, "packages");
  const root = join(folder, "root");
  mkdirSync(downloads, { recursive: true });
  const packages = [...(own === undefined ? openrc : []), ...tools];
  execFileSync("apt-get", ["-qq", "-o", "APT::Sandbox::User=root", "download", ...packages], {
    cwd: downloads,
    stdio: ["ignore", "ignore", "inherit"],
    timeout: 120_000,
  });
  for (const name of readdirSync(downloads)) {
    execFileSync("dpkg", ["-x", join(downloads, name), root], { timeout: 60_000 });
  }
  const copied = { recursive: true, verbatimSymlinks: true };
  if (own !== undefined) cpSync(own, root, copied);
  // On this machine these are links into /usr, which a folder of the same name would hide.
  for (const name of ["bin", "lib", "sbin"].map((name) => join(root, name))) {
    if (!existsSync(name) || lstatSync(name).isSymbolicLink()) continue;
    cpSync(name, name.replace(root, join(root, "usr")), copied);
    rmSync(name, { recursive: true });
  }
  return root;
}

import { join } from "node:path";
import {
  emptyPlan,
  oneLine,
  type ServicePlan,
  type ServiceRequest,
  ServiceRefusal,
  type ServiceVerb,
  whatStays,
} from "./plan.ts";

const name = "com.revka.daemon";

/** What `verb` does under launchd. `userId` is the numeric one of whoever installs a user agent. Pure. */
export function launchdPlan(
  verb: ServiceVerb,
  request: ServiceRequest,
  userHome: string,
  userId: number,
): ServicePlan {
  const system = request.scope === "system";
  const domain = system ? "system" : `gui/${userId}`;
  const path = join(
    system ? "/" : userHome,
    `Library/Launch${system ? "Daemons" : "Agents"}`,
    `${name}.plist`,
  );
  const log = join(request.home, "revka.log");
  switch (verb) {
    case "install":
      return {
        ...emptyPlan,
        folders: [{ path: request.home, mode: 0o700 }],
        before: [{ command: ["launchctl", "bootout", `${domain}/${name}`], optional: true }],
        files: [{ path, mode: 0o644, content: launchdPlist(request, log) }],
        after: [{ command: ["launchctl", "bootstrap", domain, path] }],
        notes: [`Logs go to ${log}.`],
      };
    case "uninstall":
      return {
        ...emptyPlan,
        before: [{ command: ["launchctl", "bootout", `${domain}/${name}`], optional: true }],
        remove: [path],
        notes: [whatStays(request)],
      };
    case "start":
      return { ...emptyPlan, after: [{ command: ["launchctl", "bootstrap", domain, path] }] };
    case "stop":
      return { ...emptyPlan, after: [{ command: ["launchctl", "bootout", `${domain}/${name}`] }] };
    case "restart":
      return {
        ...emptyPlan,
        after: [{ command: ["launchctl", "kickstart", "-k", `${domain}/${name}`] }],
      };
    case "status":
      return { ...emptyPlan, after: [{ command: ["launchctl", "print", `${domain}/${name}`] }] };
    case "logs":
      return { ...emptyPlan, after: [{ command: ["tail", "-n", "200", log] }] };
  }
}

/** The property list: started at login or boot, restarted after a failure (launchd.plist(5)). Pure. */
export function launchdPlist(request: ServiceRequest, log: string): string {
  if (request.credentials.length > 0) {
    throw new ServiceRefusal(
      "launchd hands over no credentials; keep secrets in the config (0600)",
    );
  }
  const words = [...request.executable, "daemon", "--config", request.config];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>${name}</string>
	<key>ProgramArguments</key>
	<array>
${words.map((word) => `\t\t<string>${xml(word)}</string>`).join("\n")}
	</array>
	<key>EnvironmentVariables</key>
	<dict>
		<key>REVKA_HOME</key>
		<string>${xml(request.home)}</string>
	</dict>${
    request.scope === "system" && request.account
      ? `\n\t<key>UserName</key>\n\t<string>${xml(request.account)}</string>`
      : ""
  }
	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<dict>
		<key>SuccessfulExit</key>
		<false/>
	</dict>
	<key>ThrottleInterval</key>
	<integer>10</integer>
	<key>ExitTimeOut</key>
	<integer>15</integer>
	<key>Umask</key>
	<integer>63</integer>
	<key>StandardErrorPath</key>
	<string>${xml(log)}</string>
	<key>StandardOutPath</key>
	<string>${xml(log)}</string>
</dict>
</plist>
`;
}

function xml(text: string): string {
  return oneLine(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

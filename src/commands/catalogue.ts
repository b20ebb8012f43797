import type { Command } from "./command.ts";

export interface CatalogueEntry {
  summary: string;
  /** Imported only when asked for, so that `--version` starts as fast as the bare runtime. */
  load(): Promise<Command>;
}

/** Every command, in the order in which `revka --help` lists them. */
export const catalogue: ReadonlyMap<string, CatalogueEntry> = new Map<string, CatalogueEntry>([
  ["init", entry("Write a config file, asking what it needs to know", () => import("./init.ts"))],
  [
    "demo",
    entry("Chat with Revka here, without account, key or network", () => import("./demo.ts")),
  ],
  [
    "daemon",
    entry("Run: receive messages, call the agent, send the replies", () => import("./daemon.ts")),
  ],
  ["status", entry("Show the running daemon and its channels", () => import("./status.ts"))],
  [
    "doctor",
    entry(
      "Check config, credentials and connections, and say what to mend",
      () => import("./doctor.ts"),
    ),
  ],
  ["send", entry("Send a text through the running daemon", () => import("./send.ts"))],
  [
    "pause",
    entry("Stop answering one chat, so that a person can take over", () => import("./pause.ts")),
  ],
  ["resume", entry("Answer a paused chat again", () => import("./resume.ts"))],
  ["redeliver", entry("Try a failed delivery again", () => import("./redeliver.ts"))],
  ["link", entry("Show the code that links WhatsApp Web to a phone", () => import("./link.ts"))],
  ["relink", entry("Forget the WhatsApp Web session and link anew", () => import("./relink.ts"))],
  ["service", entry("Install and steer Revka as a system service", () => import("./service.ts"))],
  ["config", entry("Print the JSON Schema of the config file", () => import("./config.ts"))],
  [
    "licenses",
    entry("Print the licences of Revka and of what it holds", () => import("./licenses.ts")),
  ],
]);

function entry(summary: string, load: () => Promise<{ command: Command }>): CatalogueEntry {
  return { summary, load: async () => (await load()).command };
}

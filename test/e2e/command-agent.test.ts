import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { content } from "../../src/simulator/graph/content.ts";
import { temporaryFolder } from "../support/store.ts";
import { startCloud } from "./support/cloud.ts";
import { until } from "../support/until.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

const linux = process.platform === "linux" ? test : test.skip;

linux.each(["SIGTERM", "SIGKILL"] as const)(
  "no agent that still runs outlives the daemon: %s",
  async (signal) => {
    const folder = temporaryFolder();
    const agent = join(folder.path, "agent");
    // One turn is answered, and leaves something running that it may; the next ones never end.
    writeFileSync(
      agent,
      `#!/bin/sh
case $(cat) in
  *'"text":"long"'*)
    trap '' TERM
    sleep 600 &
    echo $! $$ >> "${folder.path}/started"
    while :; do wait; done ;;
  *)
    sleep 600 >/dev/null 2>&1 &
    echo $! > "${folder.path}/left"
    echo '{"text":"done"}' ;;
esac
`,
      { mode: 0o755 },
    );
    const pids = (name: string) =>
      existsSync(join(folder.path, name))
        ? readFileSync(join(folder.path, name), "utf8").trim().split(/\s+/).map(Number)
        : [];
    using _ = {
      [Symbol.dispose]() {
        for (const pid of [...pids("started"), ...pids("left")])
          if (alive(pid)) process.kill(pid, "SIGKILL");
        folder.remove();
      },
    };
    await using setup = await startCloud({ agent: { kind: "command", command: [agent] } });
    const { graph, daemon } = setup;
    const ada = { phone: "+15550001111", name: "Ada" };
    graph.write({ from: ada, content: content.text("short") });
    await graph.waitForSends();
    graph.write({ from: ada, content: content.text("long") });
    graph.write({ from: { phone: "+15550002222", name: "Ben" }, content: content.text("long") });
    await until("four programs run", () => pids("started").length === 4);
    expect(pids("started").map(alive)).toEqual([true, true, true, true]);
    daemon.kill(signal);
    await daemon.exited;
    await until("they are gone", () => !pids("started").some(alive));
    expect(pids("left").map(alive)).toEqual([true]);
  },
);

function alive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

import { expect, test } from "bun:test";
import { join } from "node:path";

const file = (path: string) => JSON.stringify(join(import.meta.dir, "../../src", path));
const linux = process.platform === "linux" ? test : test.skip;

linux(
  "a tool that cannot be started for want of files says so, and the daemon goes on",
  async () => {
    const script = `
    import { openSync, closeSync } from "node:fs";
    import { runTool } from ${file("tunnel/process.ts")};
    import { systemClock as clock } from ${file("runtime/clock.ts")};
    const open = [];
    try {
      for (;;) open.push(openSync("/dev/null"));
    } catch {}
    const reasons = [];
    for (let free = 0; free < 20; free++) {
      const tool = runTool({ command: ["true"], env: process.env, clock, onLine() {} });
      reasons.push(await tool.ended);
      await tool.stop();
      closeSync(open.pop());
    }
    for (const file of open) closeSync(file);
    console.log(JSON.stringify(reasons));`;
    const limited = ["sh", "-c", 'ulimit -n 100; exec "$@"', "sh"];
    await using child = Bun.spawn([...limited, process.execPath, "-e", script]);
    const reasons: string[] = JSON.parse(await new Response(child.stdout).text());
    expect(await child.exited).toBe(0);
    expect(new Set(reasons)).toEqual(new Set(["cannot be started", "ended (exit 0)"]));
    expect([reasons[0], reasons.at(-1)]).toEqual(["cannot be started", "ended (exit 0)"]);
  },
);

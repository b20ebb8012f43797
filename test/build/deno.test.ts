import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/binary.ts";
import { runAlone } from "./run.ts";

/** The npm package brings Deno for glibc, macOS and Windows, not for musl. */
const libc = process.platform === "linux" ? "-glibc" : "";
const deno = join(root, `node_modules/@deno/${process.platform}-${process.arch}${libc}/deno`);

describe.skipIf(!existsSync(deno))("the source under Deno (needs node_modules/@deno)", () => {
  const revka = [deno, "run", "--allow-all", "--no-lock", join(root, "src/main.ts")];
  /** Whatever it would have to download is missing: `bun install` brought everything. */
  const env = { DENO_NO_UPDATE_CHECK: "1", NPM_CONFIG_REGISTRY: "http://127.0.0.1:9/" };

  test("carries a message from end to end, daemon and all", async () => {
    const run = await runAlone([...revka, "demo", "--once", "hi"], { env });
    expect(run).toMatchObject({ code: 0, out: "hi\n", err: "" });
  }, 20_000);

  test("knows that nothing was sent where nobody listens, and that something may have been where an answer breaks off", async () => {
    const script = `
      import { transportFailure } from "${join(root, "src/channels/failure.ts")}";
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const url = "http://127.0.0.1:" + listener.addr.port;
      const tell = (error) => console.log(transportFailure(error, "Meta").retry);
      const answer = fetch(url, { method: "POST", body: "hi" }).catch(tell);
      const connection = await listener.accept();
      await connection.read(new Uint8Array(100));
      connection.close();
      listener.close();
      await answer;
      await fetch(url, { method: "POST", body: "hi" }).catch(tell);
    `;
    const run = await runAlone([...revka.slice(0, -1), "asks.ts"], {
      env,
      files: { "asks.ts": script },
    });
    expect(run).toMatchObject({ code: 0, out: "ambiguous\nunsent\n", err: "" });
  }, 20_000);

  test("writes the schema of the configuration", async () => {
    const run = await runAlone([...revka, "config", "schema"], { env });
    expect(run).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(run.out)).toMatchObject({ type: "object" });
  }, 20_000);
});

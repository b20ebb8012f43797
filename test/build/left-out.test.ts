import { expect, test } from "bun:test";
import { bundledFiles } from "../../scripts/build/bundled-files.ts";
import { leftOut } from "../../scripts/build/left-out.ts";
import { root } from "../support/binary.ts";
import { runAlone } from "./run.ts";

test.each([true, false])(
  "an executable (with WhatsApp Web: %p) holds nothing of what is left out",
  async (web) => {
    const files = await bundledFiles(root, { REVKA_WHATSAPP_WEB: String(web) });
    expect(files).toContain("node_modules/file-type/index.js");
    for (const name of [
      "debug",
      "@ai-sdk/gateway",
      "@opentelemetry/api",
      "@pinojs/redact",
      "undici/lib/milo",
      "undici/lib/llhttp/llhttp_simd",
      "undici/lib/dispatcher/client-h2",
    ]) {
      expect(files.filter((file) => file.startsWith(`node_modules/${name}`))).toEqual([]);
    }
    expect(files).toContain("node_modules/undici/lib/llhttp/llhttp-wasm.js");
  },
);

test("what stands in for a package that speaks of files says nothing", async () => {
  const entry = "/entry.js";
  const build = await Bun.build({
    entrypoints: [entry],
    files: {
      [entry]: 'import make from "debug"; console.log(make("x")("secret"), make("x").enabled);',
    },
    plugins: [leftOut],
  });
  const text = await build.outputs[0]?.text();
  const run = await runAlone([process.execPath, "-e", text ?? ""], { env: { DEBUG: "*" } });
  expect(run).toMatchObject({ code: 0, out: "undefined false\n", err: "" });
});

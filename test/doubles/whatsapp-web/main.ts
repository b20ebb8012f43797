/**
 * The double as a process of its own, so that clients can be killed while it lives on:
 *
 *   bun test/doubles/whatsapp-web/main.ts [--port 0] [--control-port 0] [--certificate-file PATH]
 *
 * It prints one line of JSON: where to connect, which root to trust, where the control API is.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startControl } from "./control.ts";
import { silenceLibsignal } from "./quiet.ts";
import { startDouble } from "./server.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "control-port": { type: "string", default: "0" },
    "certificate-file": { type: "string" },
  },
});

silenceLibsignal();
const double = await startDouble({ port: Number(values.port) });
const control = startControl(double, Number(values["control-port"]));
const certificateFile = values["certificate-file"];
if (certificateFile) writeFileSync(certificateFile, double.mediaCertificate ?? "");

console.log(
  JSON.stringify({
    url: double.url,
    root: double.rootHex,
    control: `http://127.0.0.1:${control.port}`,
    media: double.media.host,
    certificateFile,
  }),
);

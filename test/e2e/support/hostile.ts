import type { IncomingMessage, ServerResponse } from "node:http";
import { startTarget, type Target } from "../../net/target.ts";
import { files } from "./files.ts";

/** What a server of files does instead of handing one out, by the name of the file that it is asked for. */
export interface HostileFiles {
  /** Answers as the name says; false where it knows no such name. */
  answer(name: string, outgoing: ServerResponse): boolean;
  /** The other host that redirects lead to. */
  elsewhere: Target;
  /** Bytes of the endless body that were written before the reader left. */
  readonly poured: number;
  close(): Promise<void>;
}

export async function startHostileFiles(): Promise<HostileFiles> {
  const elsewhere = await startTarget((_, outgoing) => {
    outgoing.setHeader("content-type", "image/png");
    outgoing.end(files.png);
  });
  let poured = 0;
  const redirect = (location: string) => (outgoing: ServerResponse) =>
    outgoing.writeHead(302, { location }).end();
  const behaviours: Record<string, (outgoing: ServerResponse) => unknown> = {
    elsewhere: redirect(`${elsewhere.url}/stolen`),
    "elsewhere-by-name": redirect(`http://localhost:${elsewhere.port}/stolen`),
    private: redirect("http://10.0.0.1/latest/meta-data"),
    metadata: redirect("https://169.254.169.254/latest/meta-data"),
    plain: redirect("http://files.example/photo.png"),
    file: redirect("file:///etc/passwd"),
    round: redirect("?fileName=round"),
    endless(outgoing) {
      outgoing.writeHead(200, { "content-type": "image/png" });
      outgoing.write(files.png);
      const chunk = Buffer.alloc(256 * 1024);
      const pour = () => {
        while (!outgoing.destroyed) {
          poured += chunk.length;
          if (!outgoing.write(chunk)) return;
        }
      };
      outgoing.on("drain", pour);
      pour();
    },
    "claims-too-much"(outgoing) {
      outgoing.writeHead(200, { "content-type": "image/png", "content-length": "9999999999" });
      outgoing.write(files.png);
    },
    "cut-short"(outgoing) {
      outgoing.writeHead(200, { "content-type": "image/png", "content-length": "5000" });
      outgoing.write(files.png, () => outgoing.destroy());
    },
    page(outgoing) {
      outgoing.writeHead(200, { "content-type": "image/png" });
      outgoing.end("<html><body>please log in</body></html>");
    },
    program(outgoing) {
      outgoing.writeHead(200, { "content-type": "image/png" });
      outgoing.end(Buffer.concat([Buffer.from("\u007fELF"), Buffer.alloc(60)]));
    },
    empty: (outgoing) => outgoing.writeHead(200, { "content-type": "image/png" }).end(),
    fine(outgoing) {
      outgoing.writeHead(200, { "content-type": "text/html" });
      outgoing.end(files.png);
    },
  };
  return {
    answer(name, outgoing) {
      const behave = behaviours[name];
      behave?.(outgoing);
      return behave !== undefined;
    },
    elsewhere,
    get poured() {
      return poured;
    },
    close: () => elsewhere.close(),
  };
}

/** What must be said of each, in the attachment. */
export const refusals: [name: string, reason: RegExp][] = [
  ["elsewhere", /another host/],
  ["elsewhere-by-name", /another host/],
  ["private", /not https/],
  ["metadata", /another host/],
  ["plain", /not https/],
  ["file", /not https/],
  ["round", /more than 3 redirects/],
  ["endless", /larger than/],
  ["claims-too-much", /larger than/],
  ["cut-short", /ended before|could not be read/],
  ["page", /not of kind image/],
  ["program", /not of kind image/],
  ["empty", /not of kind image/],
];

/** Names of a stranger that would lead out of their folder. */
export const hostileNames = [
  "../../../../tmp/owned.pdf",
  "..\\..\\owned.pdf",
  "/etc/cron.d/owned",
  "..",
  ".",
  "",
  "a\0b.pdf",
  "x".repeat(5000),
  "\u202egpj.exe",
  "con.pdf",
];

export function requestName(incoming: IncomingMessage): string {
  const url = new URL(incoming.url ?? "/", "http://files");
  return url.searchParams.get("fileName") ?? url.pathname.split("/").at(-1) ?? "";
}

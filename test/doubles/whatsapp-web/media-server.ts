import type { Faults } from "./faults.ts";
import type { MediaStore } from "./media.ts";
import { selfSigned } from "./tls.ts";

export interface MediaServer {
  /** `127.0.0.1:port` */
  host: string;
  /** PEM */
  certificate: string;
  stop(): Promise<void>;
}

/** The HTTPS host clients upload media to and download it from. Fault points: `upload`, `download`. */
export function startMediaServer(media: MediaStore, faults: Faults): MediaServer {
  const tls = selfSigned();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { key: tls.key, cert: tls.certificate },
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const point = request.method === "POST" ? "upload" : "download";
      const fault = faults.due(point);
      if (fault?.do === "refuse") return new Response("refused", { status: fault.code });
      if (fault?.do === "swallow") await new Promise(() => {});
      if (fault?.do === "delay") await new Promise((resolve) => setTimeout(resolve, fault.ms));
      if (point === "upload") {
        const file = Buffer.from(await request.arrayBuffer());
        const path = media.put(pathname.split("/").slice(0, 3).join("/"), file);
        media.uploads.add({ path, bytes: file.length });
        return Response.json({ url: `https://${media.host}${path}`, direct_path: path });
      }
      const file = media.files.get(pathname);
      const status = file ? 200 : media.gone;
      media.downloads.add({ path: pathname, status });
      return new Response(file ? new Uint8Array(file) : "gone", { status });
    },
  });
  return {
    host: `127.0.0.1:${server.port}`,
    certificate: tls.certificate,
    stop: async () => {
      await server.stop(true);
    },
  };
}

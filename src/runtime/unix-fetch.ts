/** One request over a Unix socket. Rejects where nobody listens. */
export async function fetchOverUnixSocket(
  socketPath: string,
  path: string,
  init: { method: "GET" | "POST"; body?: string },
): Promise<{ status: number; text: string }> {
  if (typeof Bun !== "undefined") {
    const response = await fetch(`http://localhost${path}`, { ...init, unix: socketPath });
    return { status: response.status, text: await response.text() };
  }
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method: init.method }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    call.on("error", reject);
    call.end(init.body);
  });
}

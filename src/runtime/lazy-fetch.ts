/**
 * The runtime's own fetch; a compressed answer is decoded as far as it is read. Bun by itself decodes all of one that is
 * let go unread, and 13 kB can hold 400 MB.
 */
export async function lazyFetch(url: URL, init: RequestInit): Promise<Response> {
  if (typeof Bun === "undefined") return fetch(url, init);
  const response = await fetch(url, { ...init, decompress: false });
  const { headers } = response;
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  const empty = !response.body || headers.get("content-length") === "0";
  if (!response.body || empty || coding === "" || coding === "identity") return response;
  return (await import("./decoded.ts")).decoded(response, response.body, coding);
}

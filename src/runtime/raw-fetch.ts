/**
 * The runtime's own fetch, bodies as they came. Bun decodes a compressed one by itself, and one that is let go unread
 * as a whole, however long it grows.
 */
export function rawFetch(url: URL, init: RequestInit): Promise<Response> {
  return fetch(url, { ...init, decompress: false });
}

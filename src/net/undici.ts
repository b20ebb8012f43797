import type { Agent, buildConnector, fetch, FormData } from "undici";

/** What is used of undici. */
export interface Undici {
  Agent: typeof Agent;
  buildConnector: typeof buildConnector;
  fetch: typeof fetch;
  FormData: typeof FormData;
}

/**
 * undici itself, by its files: Bun takes the bare name for a stand-in that ignores dispatchers, and what stands beside
 * these files (mocks, caches, WebSocket) is a third of the package.
 */
export async function loadUndici(): Promise<Undici> {
  const [agent, connect, fetching, form] = await Promise.all([
    import("undici/lib/dispatcher/agent.js"),
    import("undici/lib/core/connect.js"),
    import("undici/lib/web/fetch/index.js"),
    import("undici/lib/web/fetch/formdata.js"),
  ]);
  return {
    Agent: agent.default,
    buildConnector: connect.default,
    fetch: fetching.default.fetch,
    FormData: form.default.FormData,
  };
}

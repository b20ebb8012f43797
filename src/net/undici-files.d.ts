/** undici declares its index alone. */
declare module "undici/lib/dispatcher/agent.js" {
  import type { Agent } from "undici";
  const file: typeof Agent;
  export default file;
}
declare module "undici/lib/core/connect.js" {
  import type { buildConnector } from "undici";
  const file: typeof buildConnector;
  export default file;
}
declare module "undici/lib/web/fetch/index.js" {
  import type { fetch } from "undici";
  const file: { fetch: typeof fetch };
  export default file;
}
declare module "undici/lib/web/fetch/formdata.js" {
  import type { FormData } from "undici";
  const file: { FormData: typeof FormData };
  export default file;
}

import type { GraphRequest } from "./request.ts";
import type { GraphWorld } from "./world.ts";

/** `GET /debug_token`: is the token good, until when, and for what (page "Debug-Token"). */
export function describeToken(world: GraphWorld, query: URLSearchParams): unknown {
  const { account } = world;
  const asked = query.get("input_token");
  if (asked !== account.accessToken) {
    return {
      data: {
        error: { code: 190, message: "Invalid OAuth access token" },
        is_valid: false,
        scopes: [],
      },
    };
  }
  return {
    data: {
      app_id: account.appId,
      type: "SYSTEM_USER",
      application: "Simulated app",
      data_access_expires_at: 0,
      expires_at: account.tokenExpiresAt,
      is_valid: true,
      scopes: account.scopes,
      granular_scopes: account.scopes.map((scope) => ({
        scope,
        target_ids: [account.businessAccountId],
      })),
      user_id: "1220000000000001",
    },
  };
}

/** `GET /app`: the app that the token belongs to. */
export function describeApp(world: GraphWorld): unknown {
  return { id: world.account.appId, name: "Simulated app" };
}

/** Phone number, business account, its numbers and its subscribed apps; null where there is no such object. */
export function describeObject(
  world: GraphWorld,
  request: GraphRequest,
  id: string,
  edge: string | undefined,
  isNumber: boolean,
): unknown {
  const { account } = world;
  if (id === account.businessAccountId) {
    if (edge === "phone_numbers")
      return { data: [phoneNumber(world, account.phoneNumberId ?? id)] };
    if (edge === "subscribed_apps") return subscribedApps(world, request.method);
    if (edge === undefined && request.method === "GET") {
      return fields({ id, name: account.verifiedName, timezone_id: "1" }, request.query);
    }
    return null;
  }
  if (isNumber && edge === undefined && request.method === "GET") {
    return fields(phoneNumber(world, id), request.query);
  }
  return null;
}

function subscribedApps(world: GraphWorld, method: string): unknown {
  const { account } = world;
  if (method === "POST" || method === "DELETE") {
    account.subscribed = method === "POST";
    return { success: true };
  }
  const app = { id: account.appId, name: "Simulated app", link: "https://example.com/" };
  return { data: account.subscribed ? [{ whatsapp_business_api_data: app }] : [] };
}

function phoneNumber(world: GraphWorld, id: string): Record<string, unknown> {
  return {
    verified_name: world.account.verifiedName,
    code_verification_status: "VERIFIED",
    display_phone_number: world.account.displayPhoneNumber,
    quality_rating: "GREEN",
    platform_type: "CLOUD_API",
    throughput: { level: "STANDARD" },
    webhook_configuration: { application: world.settings.webhooks.url ?? "" },
    name_status: "APPROVED",
    status: "CONNECTED",
    health_status: { can_send_message: "AVAILABLE" },
    id,
  };
}

/** Graph answers with the asked fields and always the id. */
function fields(object: Record<string, unknown>, query: URLSearchParams): Record<string, unknown> {
  const asked = query
    .get("fields")
    ?.split(",")
    .map((field) => field.trim());
  if (!asked) return object;
  return Object.fromEntries(
    Object.entries(object).filter(([key]) => key === "id" || asked.includes(key)),
  );
}

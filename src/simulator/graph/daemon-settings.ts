import type { GraphAccount } from "./options.ts";

type Credentials = Pick<
  GraphAccount,
  "accessToken" | "appSecret" | "verifyToken" | "phoneNumberId"
>;

/** `[channels_config.whatsapp]` of a daemon that speaks for this account with the stand-in at `url`. */
export function whatsappSettings(account: Credentials, url: string) {
  return {
    access_token: account.accessToken,
    app_secret: account.appSecret,
    verify_token: account.verifyToken,
    phone_number_id: account.phoneNumberId,
    api_base_url: url,
    graph_api_version: "v26.0",
  };
}

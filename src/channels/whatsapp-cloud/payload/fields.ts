/**
 * Webhook fields that are known and never acted upon, and the reason under which they are counted. Source: Meta,
 * webhooks/overview. A field that is not here is `unknown_field`, so that nobody else names our metrics.
 */
const account = [
  "account_alerts",
  "account_review_update",
  "account_settings_update",
  "account_update",
  "automatic_events",
  "business_capability_update",
  "business_status_update",
  "business_username_update",
  "flows",
  "partner_solutions",
  "payment_configuration_update",
  "phone_number_name_update",
  "phone_number_quality_update",
  "security",
  "smb_app_state_sync",
  "user_preferences",
];
const groups = [
  "group_lifecycle_update",
  "group_participants_update",
  "group_settings_update",
  "group_status_update",
];
const templates = [
  "message_template_components_update",
  "message_template_quality_update",
  "message_template_status_update",
  "template_category_update",
  "template_correct_category_detection",
];

export const ignoredFields: ReadonlyMap<string, string> = new Map([
  ...account.map((field) => [field, "account_event"] as const),
  ...groups.map((field) => [field, "group_event"] as const),
  ...templates.map((field) => [field, "template_event"] as const),
  ["calls", "call"],
  ["history", "history"],
  ["smb_message_echoes", "echo"],
]);

import { recipientOf } from "../control/recipient.ts";
import { UsageError } from "./command.ts";

/** The name of a person or group as it was given. Throws {@link UsageError} where it can name nobody, whatever channel runs. */
export function target(name: string): string {
  try {
    recipientOf(name);
    return name;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : `${name} names nobody`);
  }
}

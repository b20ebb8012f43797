import type { FaultPlan } from "./faults.ts";
import type { RateLimiter } from "./limits.ts";
import type { MediaStore } from "./media.ts";
import type { GraphAccount, GraphSettings } from "./options.ts";
import type { GraphRecords } from "./record.ts";
import type { StatusReporter } from "./statuses.ts";

/** Everything that a route may touch. */
export interface GraphWorld {
  readonly account: GraphAccount;
  readonly settings: GraphSettings;
  readonly records: GraphRecords;
  readonly faults: FaultPlan;
  readonly media: MediaStore;
  readonly limiter: RateLimiter;
  readonly statuses: StatusReporter;
  readonly now: () => number;
  /** Wait of the simulator's clock. */
  readonly pause: (ms: number) => Promise<void>;
  /** Base URL. */
  readonly url: () => string;
  /** Did the simulator itself send this message to the business? */
  readonly knowsInbound: (id: string) => boolean;
  /** Unix milliseconds of the last message of a customer, or undefined. */
  readonly lastWrote: (recipient: string) => number | undefined;
}

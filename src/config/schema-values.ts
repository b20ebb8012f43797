import { z } from "zod";

/** The kinds of values that the tables of the file share. */

/** `""` in the file is as good as an absent key (see {@link blankText}). */
export const text = z.string();
/** Text of which `""` is a value of its own. */
export const blankText = z.string().meta({ blank: true });
/** Never printed, logged or put in an error. */
export const secret = z.string().meta({ secret: true });
/** A file or folder; a leading `~` is expanded. */
export const path = z.string().meta({ path: true });
export const positive = z.int().min(1);
export const port = z.int().min(1).max(65535);

/**
 * What a key means, for `.register(...)`: `.describe()` says the same on a copy, and the copies are a quarter of the time
 * that the schema takes. Not for the kinds above themselves, which many keys share.
 */
export const means = (description: string) => [z.globalRegistry, { description }] as const;

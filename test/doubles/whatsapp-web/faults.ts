import { Recorder } from "./recorder.ts";
import { type BinaryNode, children } from "./stanza.ts";

/**
 * Where a fault strikes. `upgrade`, `hello` and `login` are the steps of connecting;
 * every stanza is a point too: `in:message`, `in:iq:encrypt`, `out:ack:message`,
 * `out:iq:pair-success`, `out:notification:encrypt` … A shorter name covers all that begin with it
 * (`in` covers everything the client says).
 */
export type FaultPoint = string;

export interface Fault {
  at: FaultPoint;
  do:
    /** break the connection instead of going on */
    | "cut"
    /** go on, then break the connection */
    | "cut-after"
    /** the stanza is lost, the connection stays */
    | "swallow"
    /** go on after `ms`; what follows on the connection waits too */
    | "delay"
    /** the stanza comes twice */
    | "duplicate"
    /** upgrade: HTTP status `code`; login: `<failure reason=code>`; in:message: `<ack error=code>`; in:iq: an error */
    | "refuse"
    /** `<stream:error>` with `code`, then the end of the connection */
    | "stream-error"
    /** hello: the certificate is genuine, but names the key of another server */
    | "foreign-certificate";
  code?: number;
  ms?: number;
  /** how often it strikes; 0 is until cleared. Default 1 */
  times?: number;
  /** how many occasions pass before it strikes first. Default 0 */
  skip?: number;
}

/** The faults that wait for their occasion, and the log of those that struck. */
export class Faults {
  private pending: Required<Fault>[] = [];
  readonly struck = new Recorder<{ at: FaultPoint; do: Fault["do"] }>("fault");

  /** Adds a fault and gives the function that takes it back. */
  add(fault: Fault): () => void {
    const added = { code: 0, ms: 0, times: 1, skip: 0, ...fault };
    this.pending.push(added);
    return () => {
      this.pending = this.pending.filter((other) => other !== added);
    };
  }

  clear(): void {
    this.pending = [];
  }

  list(): Fault[] {
    return [...this.pending];
  }

  /** The fault due at this point, if any; it is used up by asking. */
  due(point: FaultPoint): Required<Fault> | undefined {
    for (const fault of this.pending) {
      if (point !== fault.at && !point.startsWith(`${fault.at}:`)) continue;
      if (fault.skip > 0) {
        fault.skip--;
        continue;
      }
      if (fault.times > 0 && --fault.times === 0) {
        this.pending = this.pending.filter((other) => other !== fault);
      }
      this.struck.add({ at: point, do: fault.do });
      return fault;
    }
    return undefined;
  }
}

/** The name of a stanza as a fault point. */
export function pointOf(direction: "in" | "out", node: BinaryNode): FaultPoint {
  const parts = [direction, node.tag === "stream:error" ? "stream-error" : node.tag];
  const first = children(node)[0]?.tag;
  const detail =
    node.tag === "iq"
      ? (node.attrs.xmlns ?? first)
      : node.tag === "ack"
        ? node.attrs.class
        : node.tag === "ib"
          ? first
          : node.tag === "message"
            ? undefined
            : node.attrs.type;
  if (detail) parts.push(detail);
  if (node.tag === "iq" && node.attrs.xmlns && first) parts.push(first);
  return parts.join(":");
}

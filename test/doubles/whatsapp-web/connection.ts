import { Curve, type KeyPair, decodeBinaryNode, encodeBinaryNode } from "@whiskeysockets/baileys";
import type { Companion } from "./companion.ts";
import { type Fault, type Faults, pointOf } from "./faults.ts";
import { type ClientFinish, NoiseServer } from "./noise.ts";
import { type BinaryNode, SERVER, queryError, stanza } from "./stanza.ts";

/** What a connection needs of the socket beneath it. */
export interface Wire {
  send(bytes: Uint8Array): void;
  /** breaks the connection as a lost network would */
  terminate(): void;
  /** closes it in order */
  close(): void;
}

export interface ConnectionEvents {
  finished(connection: Connection, finish: ClientFinish): void;
  received(connection: Connection, node: BinaryNode): void | Promise<void>;
  closed(connection: Connection): void;
}

/** Long enough for a client to read the last stanza before it hears of the end, ms. */
const LAST_WORD_MS = 250;

/** One client connection: handshake, then stanzas in both directions, each a point for faults. */
export class Connection {
  /** the linked device, once logged in */
  companion: Companion | undefined;
  /** what the client said at the end of the handshake */
  finish: ClientFinish | undefined;
  /** true once the backlog was delivered: from here on stanzas are live */
  live = false;
  /** what was kept for the client and is still to be given out, and how much it was */
  backlog: { nodes: BinaryNode[]; count: number } | undefined;
  closed = false;
  private readonly noise: NoiseServer;
  private stage: "hello" | "finish" | "stanzas" = "hello";
  private incoming: Promise<void> = Promise.resolve();
  private outgoing: Promise<void> = Promise.resolve();

  constructor(
    root: KeyPair,
    private readonly wire: Wire,
    private readonly faults: Faults,
    private readonly events: ConnectionEvents,
    private readonly report: (error: unknown) => void,
  ) {
    this.noise = new NoiseServer(root);
  }

  /** Bytes from the client, in the order they came. */
  bytes(bytes: Uint8Array): void {
    this.incoming = this.incoming
      .then(async () => {
        for (const frame of this.noise.frames(bytes)) await this.frame(frame);
      })
      .catch((error) => {
        this.report(error);
        this.cut();
      });
  }

  /** Sends a stanza, after all that were sent before it. */
  send(node: BinaryNode): Promise<void> {
    this.outgoing = this.outgoing
      .then(async () => {
        if (this.closed) return;
        const fault = this.faults.due(pointOf("out", node));
        if (fault && !(await this.passes(fault))) return;
        this.write(node);
        if (fault?.do === "duplicate") this.write(node);
        if (fault?.do === "cut-after") this.cut();
      })
      .catch(this.report);
    return this.outgoing;
  }

  /** `<stream:error>` and the end. 440 is the conflict of a replaced session, 401 a removed device. */
  async streamError(code: number): Promise<void> {
    const conflict =
      code === 440
        ? [stanza("conflict", { type: "replaced" })]
        : code === 401
          ? [stanza("conflict", { type: "device_removed" })]
          : [];
    await this.send(stanza("stream:error", code === 440 ? {} : { code }, conflict));
    this.close();
  }

  /** `<failure>`: the login is refused. */
  async fail(reason: number): Promise<void> {
    await this.send(stanza("failure", { reason, location: "double" }));
    this.close();
  }

  /** Breaks the connection as a lost network would. */
  cut(): void {
    if (!this.gone()) return;
    this.wire.terminate();
  }

  /** The server's side is at its end; the socket stays a moment, in which a client reads why. */
  close(): void {
    if (!this.gone()) return;
    setTimeout(() => this.wire.close(), LAST_WORD_MS).unref();
  }

  /** The socket is closed, whoever closed it; false if that was known. */
  gone(): boolean {
    if (this.closed) return false;
    this.closed = true;
    this.live = false;
    this.events.closed(this);
    return true;
  }

  private write(node: BinaryNode): void {
    if (this.closed) return;
    this.wire.send(this.noise.frame(this.noise.encrypt(encodeBinaryNode(node))));
  }

  private async frame(frame: Buffer): Promise<void> {
    if (this.closed) return;
    if (this.stage === "hello") {
      const fault = this.faults.due("hello");
      if (fault && !(await this.passes(fault))) return;
      this.stage = "finish";
      const foreign = fault?.do === "foreign-certificate";
      const certified = foreign ? Curve.generateKeyPair().public : undefined;
      this.wire.send(this.noise.frame(this.noise.answerHello(frame, certified)));
      return;
    }
    if (this.stage === "finish") {
      this.stage = "stanzas";
      this.finish = this.noise.finish(frame);
      const fault = this.faults.due("login");
      if (fault?.do === "refuse") return this.fail(fault.code);
      if (fault && !(await this.passes(fault))) return;
      this.events.finished(this, this.finish);
      return;
    }
    await this.received(await decodeBinaryNode(this.noise.decrypt(frame)));
  }

  private async received(node: BinaryNode): Promise<void> {
    const fault = this.faults.due(pointOf("in", node));
    if (fault?.do === "refuse") return void this.send(refusal(node, fault.code));
    if (fault && !(await this.passes(fault))) return;
    await this.events.received(this, node);
    if (fault?.do === "duplicate") await this.events.received(this, node);
    if (fault?.do === "cut-after") {
      await this.outgoing;
      this.cut();
    }
  }

  /** Applies what a fault does beforehand; false if nothing may follow. */
  private async passes(fault: Required<Fault>): Promise<boolean> {
    switch (fault.do) {
      case "cut":
        this.cut();
        return false;
      case "swallow":
      case "refuse":
        return false;
      case "stream-error":
        void this.streamError(fault.code);
        return false;
      case "delay":
        await new Promise((resolve) => setTimeout(resolve, fault.ms));
        return !this.closed;
      case "duplicate":
      case "cut-after":
      case "foreign-certificate":
        return true;
    }
  }
}

function refusal(node: BinaryNode, code: number): BinaryNode {
  if (node.tag === "iq") return queryError(node, code, "refused by a fault");
  return stanza("ack", {
    class: node.tag,
    id: node.attrs.id,
    from: node.attrs.to ?? SERVER,
    error: code,
  });
}

/**
 * What packages import and nothing here needs, as they spell it. Each is replaced by the names that are imported from it:
 * one that is missing fails the build. What is never called would throw.
 */
const stubs: Record<string, string> = {
  // The AI SDK's client of its maker's hosted gateway, for models that are named by a string: 125 kB, and an address
  // that nobody configured.
  "@ai-sdk/gateway": `
    const never = () => { throw new Error("this build holds no gateway"); };
    export class GatewayError extends Error { static isInstance() { return false; } }
    export class GatewayAuthenticationError extends GatewayError {}
    export const createGateway = never;
    export const gateway = { languageModel: never };
  `,
  // Of the AI SDK, two kinds of model that Anthropic's package can make of one of its own, and is never asked to: 51 kB.
  "@ai-sdk/provider-utils/experimental-decision": `
    export class Experimental_DecisionLanguageModel {}
  `,
  "@ai-sdk/provider-utils/experimental-extraction": `
    export class Experimental_ExtractionLanguageModel {}
  `,
  // Of prom-client, for its own counter of processor time, which nobody asks for, with traces beside it: 22 kB.
  "@opentelemetry/api": `
    exports.context = exports.trace = { get active() { throw new Error("this build holds no traces"); } };
  `,
  // Of pino, for its option `redact`: the log has sieves of its own. 50 kB, and a part of every start.
  "@pinojs/redact": `
    module.exports = () => { throw new Error("this build redacts by itself"); };
  `,
  // Of undici's two parsers in WebAssembly, 72 kB each, the one it tries first; it goes on with the one that every
  // processor can run.
  "../llhttp/llhttp_simd-wasm.js": `throw new Error("this build parses without SIMD");`,
  // Of undici, HTTP/2, which no connection here offers (`allowH2` in `src/net/dispatched-fetch.ts`): 18 kB.
  "./client-h2.js": `
    module.exports = () => { throw new Error("this build speaks no HTTP/2"); };
  `,
  // What parsers of files say of them where DEBUG is set: names of a customer's files, past the log and its sieves.
  debug: `
    module.exports = () => Object.assign(() => {}, { enabled: false });
  `,
};

/** The name by which undici knows that it is bundled, and leaves out a second HTTP parser, which nobody asks for: 165 kB. */
export const leftOutDefines = { esbuildDetection: "true" };

const namespace = "left-out";

/** Is this input of the bundler one of the stubs, and so no file? */
export const isStub = (input: string): boolean => input.startsWith(`${namespace}:`);

export const leftOut: Bun.BunPlugin = {
  name: namespace,
  setup(build) {
    build.onResolve({ filter: /^(@|debug$|\.\.\/llhttp\/|\.\/client-h2)/ }, ({ path }) =>
      Object.hasOwn(stubs, path) ? { path, namespace } : undefined,
    );
    build.onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: stubs[path] ?? "",
      loader: "js",
    }));
  },
};

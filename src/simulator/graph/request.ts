/** One request, taken apart. */
export interface GraphRequest {
  method: string;
  /** Path without the version. */
  segments: string[];
  version: string;
  query: URLSearchParams;
  body: Buffer;
  contentType: string;
}

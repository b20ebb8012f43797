/** The one fetch of outbound calls: direct, or bound to a proxy that it never by-passes. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

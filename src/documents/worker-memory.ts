/** How much of its memory a document child has used. */

/** What Node and our code take before any document, roughly, in bytes. */
const AT_START = 110 * 1024 * 1024;

/** Bytes that this process took beyond that at its peak. */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024 - AT_START;
}

import { DirectoryAmbiguous, DirectoryUnavailable } from '../directory/directory.ts';
import { DnsUnavailable } from '../dns/resolver.ts';
import { TooManyRequests } from '../requests/requests.ts';
import { isDiskFull } from '../store/errors.ts';
import { Refusal } from './refusal.ts';
import { refusals } from './refusals.ts';

/** What the other side hears about an error, whatever it is. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof TooManyRequests) return refusals.tooManyRequests(error.limit, error.allowed);
  if (error instanceof DnsUnavailable) return refusals.dnsUnavailable();
  if (error instanceof DirectoryUnavailable) return refusals.directoryUnavailable();
  if (error instanceof DirectoryAmbiguous) return refusals.ambiguousEntry();
  return isDiskFull(error) ? refusals.diskFull() : refusals.ourFault();
}

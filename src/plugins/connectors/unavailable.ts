/** How a worker tells its pool that a request may be tried again. */
import { HiveError } from '../../observe/errors.ts';

/**
 * The back end is not there, and nothing of the request was sent: it can be tried again without being done twice. Workers
 * fail requests with it; the pool tries again, `connectors.backoff_num` times in all.
 */
export class Unavailable extends HiveError {}

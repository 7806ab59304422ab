/**
 * Requests whose end two readers may see in different places (RFC 9112 §6, §11.2): what one takes for a body is the next
 * request to the other. The libraries refuse most of them; what they let through is refused here, before any handler.
 */
import type { RequestHandler, SocketRequest } from './types.ts';

export function framed(handler: RequestHandler): RequestHandler {
  return (res, req) => {
    const refusal = refusalOf(req);
    if (refusal === undefined) {
      handler(res, req);
      return;
    }
    res.writeStatus(refusal);
    // Where the next request begins is not known.
    res.end('', true);
  };
}

/** Called for every request: each header that is asked for counts. */
function refusalOf(req: SocketRequest): string | undefined {
  const coding = req.getHeader('transfer-encoding');
  if (coding !== '' && coding.toLowerCase() !== 'chunked') {
    return /(?:^|[, \t])chunked$/i.test(coding) ? '501 Not Implemented' : '400 Bad Request';
  }
  // Going through all headers costs as much as a short answer. It takes a proxy for two readers, and proxies sign.
  if (req.getHeader('x-forwarded-for') === '' || req.getHeader('content-length') === '') return undefined;
  return hasTwoLengths(req) ? '400 Bad Request' : undefined;
}

function hasTwoLengths(req: SocketRequest): boolean {
  let length: string | undefined;
  let differ = false;
  req.forEach((name, value) => {
    if (name !== 'content-length') return;
    differ ||= length !== undefined && length !== value;
    length = value;
  });
  return differ;
}

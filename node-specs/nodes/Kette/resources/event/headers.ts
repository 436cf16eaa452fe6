/** Which headers of a vendor's request the service gets to see. */
import type { IDataObject } from 'n8n-workflow';

// Headers of the connection between vendor and n8n, which say nothing about the one between n8n and
// the service, and those that could pass for a login at the service.
const NOT_FORWARDED = new Set([
	'host',
	'connection',
	'content-length',
	'authorization',
	'cookie',
	'accept',
	'accept-encoding',
	'expect',
	'forwarded',
	'keep-alive',
	'proxy-authenticate',
	'proxy-authorization',
	'proxy-connection',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
	'x-real-ip',
]);

// n8n hands out the body inflated, so the header no longer describes the bytes.
const INFLATED = new Set(['gzip', 'deflate']);

function isForwarded(name: string, value: string): boolean {
	if (NOT_FORWARDED.has(name) || name.startsWith('x-forwarded-')) return false;
	return name !== 'content-encoding' || !INFLATED.has(value.toLowerCase());
}

// n8n's HTTP client cannot send bytes under exactly this type: it makes a form of them and fails. With
// the parameter, which changes nothing for the receiver, it sends them untouched. WooCommerce announces
// a new webhook like this.
const FORM = 'application/x-www-form-urlencoded';

/** Lower-case names, one value each; a list is joined with commas as HTTP allows. */
export function forwardedHeaders(headers: IDataObject): Record<string, string> {
	const forwarded: Record<string, string> = {};
	for (const [key, entry] of Object.entries(headers)) {
		const name = key.toLowerCase();
		const value = Array.isArray(entry) ? entry.join(', ') : entry;
		if (typeof value !== 'string' && typeof value !== 'number') continue;
		if (isForwarded(name, String(value))) forwarded[name] = String(value);
	}
	const contentType = forwarded['content-type'] ?? 'application/octet-stream';
	return {
		...forwarded,
		'content-type': contentType === FORM ? `${FORM};charset=utf-8` : contentType,
	};
}

/**
 * Kette-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256(secret, t + "." + raw body)>[,v1=...].
 * Several v1 entries are sent while a secret is being replaced; one match is enough.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export const TOLERANCE_S = 300;

const HEX_SHA256 = /^[0-9a-f]{64}$/i;

export interface ParsedSignature {
	timestamp: string;
	candidates: string[];
}

export function parseSignature(header: unknown): ParsedSignature | undefined {
	if (typeof header !== 'string') return undefined;
	let timestamp: string | undefined;
	const candidates: string[] = [];
	for (const part of header.split(',')) {
		const [name, value] = part.trim().split('=', 2);
		if (name === 't') timestamp = value;
		if (name === 'v1' && value && HEX_SHA256.test(value)) candidates.push(value);
	}
	if (!timestamp || !/^\d{1,12}$/.test(timestamp) || candidates.length === 0) return undefined;
	return { timestamp, candidates };
}

/** Why a push is refused, or undefined when it is genuine and fresh. */
export function refusal(
	header: unknown,
	rawBody: Buffer,
	secret: string,
	nowS: number,
): string | undefined {
	const signature = parseSignature(header);
	if (!signature) return 'The Kette-Signature header is missing or malformed';
	const expected = createHmac('sha256', secret)
		.update(`${signature.timestamp}.`)
		.update(rawBody)
		.digest();
	const genuine = signature.candidates
		.map((candidate) => timingSafeEqual(Buffer.from(candidate, 'hex'), expected))
		.includes(true);
	if (!genuine) return 'The signature does not match';
	if (Math.abs(nowS - Number(signature.timestamp)) > TOLERANCE_S) {
		return `The signature is older than ${TOLERANCE_S} seconds, or from the future`;
	}
	return undefined;
}

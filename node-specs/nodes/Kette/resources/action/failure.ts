/**
 * Recognises an item that stands for a failed call, whichever node made it: n8n's error outputs
 * (json.error as text or object), items carrying an error, and HTTP Request with "Never Error"
 * and full response. Only what the vendor answered is kept: n8n's error objects also hold the
 * request, with credentials.
 */
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import { asObject } from '../../../../shared/problem';

export interface Failure {
	message: string;
	retryable: boolean;
	answer?: IDataObject;
}

const MAX_MESSAGE = 1000;
const MAX_DEPTH = 3;
const STATUS_FIELDS = ['httpCode', 'statusCode', 'status', 'code'];
const NESTED_FIELDS = ['response', 'cause', 'error', 'reason', 'data'];
// 4xx that speak of the moment, not of the request.
const RETRYABLE_4XX = new Set([408, 409, 425, 429]);

/** A request that was understood and refused will be refused again; anything else may pass later. */
export function isRetryable(httpStatus: number | undefined): boolean {
	if (httpStatus === undefined || httpStatus < 400 || httpStatus > 499) return true;
	return RETRYABLE_4XX.has(httpStatus);
}

function asStatus(value: unknown): number | undefined {
	const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
	return typeof status === 'number' && status >= 400 && status <= 599 ? status : undefined;
}

function statusInText(text: string): number | undefined {
	const match = /^([45]\d\d)\b/.exec(text) ?? /status code:? ([45]\d\d)\b/i.exec(text);
	return asStatus(match?.[1]);
}

/** The HTTP status in an error, as deep as n8n and axios put it. */
export function httpStatusOf(error: unknown, depth = 0): number | undefined {
	if (typeof error === 'string') return statusInText(error);
	const fields = asObject(error);
	for (const name of STATUS_FIELDS) {
		const status = asStatus(fields[name]);
		if (status !== undefined) return status;
	}
	if (depth < MAX_DEPTH) {
		for (const name of NESTED_FIELDS) {
			const status = httpStatusOf(fields[name], depth + 1);
			if (status !== undefined) return status;
		}
	}
	return typeof fields.message === 'string' ? statusInText(fields.message) : undefined;
}

function messageOf(error: unknown): string {
	if (typeof error === 'string') return error;
	const { message, description } = asObject(error);
	const parts = [message, description].filter(
		(part): part is string => typeof part === 'string' && part !== '',
	);
	return parts.length > 0 ? [...new Set(parts)].join(': ') : 'The call failed without a message';
}

function answerIn(error: unknown, details: unknown): IDataObject | undefined {
	const fields = asObject(error);
	const response = asObject(fields.response);
	const candidates = [
		asObject(details).body,
		asObject(fields.context).data,
		response.data,
		response.body,
	];
	return candidates.map(asObject).find((candidate) => Object.keys(candidate).length > 0);
}

function failure(error: unknown, status: number | undefined, answer?: IDataObject): Failure {
	const message = messageOf(error).slice(0, MAX_MESSAGE);
	return { message, retryable: isRetryable(status), ...(answer ? { answer } : {}) };
}

/** A full response has status, headers and body; a vendor's own "statusCode" field has not. */
export function isFullResponse(json: IDataObject): boolean {
	return typeof json.statusCode === 'number' && 'headers' in json && 'body' in json;
}

export function failureOf(item: INodeExecutionData): Failure | undefined {
	const { json } = item;
	if (isFullResponse(json) && (json.statusCode as number) >= 400) {
		const status = json.statusCode as number;
		const said = asObject(json.body);
		const text = Object.keys(said).length > 0 ? JSON.stringify(said) : String(json.body ?? '');
		const answer = Object.keys(said).length > 0 ? said : undefined;
		return failure(`${status} ${String(json.statusMessage ?? '')}: ${text}`, status, answer);
	}
	const error: unknown = item.error ?? json.error;
	if (!error) return undefined;
	const details = asObject(json.details);
	const status = httpStatusOf(error) ?? asStatus(details.httpCode);
	return failure(error, status, answerIn(error, details));
}

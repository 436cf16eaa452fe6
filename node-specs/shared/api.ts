/**
 * Every call to the service goes through calls.json: method, path, and the query and body fields
 * that may be sent. The contract test compares that same file with the service's OpenAPI document,
 * so a field that is not in the table is refused here instead of drifting away unseen.
 */
import type {
	IDataObject,
	IExecuteFunctions,
	IHookFunctions,
	IHttpRequestMethods,
	IHttpRequestOptions,
} from 'n8n-workflow';
import { UnexpectedError } from 'n8n-workflow';

import table from './calls.json';
import { asObject, isObject, problemError, strangerError, unreachableError } from './problem';

export type CallName = keyof typeof table;

export interface CallSpec {
	method: IHttpRequestMethods;
	path: string;
	query: string[];
	body: string[];
}

export const CALLS = table as Record<CallName, CallSpec>;

export const CREDENTIAL = 'ketteApi';
const TIMEOUT_MS = 30_000;

export interface CallInput {
	path?: Record<string, string>;
	query?: IDataObject;
	body?: IDataObject;
	itemIndex?: number;
	timeoutMs?: number;
}

export interface Answer {
	statusCode: number;
	headers: IDataObject;
	body: unknown;
}

type Caller = IExecuteFunctions | IHookFunctions;

/** Fills {name} with URL-encoded values; a value cannot climb out of its path segment. */
export function pathOf(name: CallName, values: Record<string, string> = {}): string {
	return CALLS[name].path.replace(/\{(\w+)\}/g, (_, key: string) => {
		const value = values[key];
		if (!value || value === '.' || value === '..') {
			throw new UnexpectedError(`The call ${name} needs a value for "${key}"`);
		}
		return encodeURIComponent(value);
	});
}

function leavesOf(value: unknown, path: string, known: Set<string>): string[] {
	if (known.has(path)) return [];
	if (Array.isArray(value)) return value.flatMap((entry) => leavesOf(entry, `${path}[]`, known));
	if (typeof value === 'object' && value !== null) {
		return Object.entries(value).flatMap(([key, entry]) =>
			leavesOf(entry, path === '' ? key : `${path}.${key}`, known),
		);
	}
	return [path];
}

/** The body fields that the table does not name. "*" stands for a vendor's own document. */
export function unlistedFields(name: CallName, body: IDataObject): string[] {
	const listed = CALLS[name].body;
	return listed.includes('*') ? [] : leavesOf(body, '', new Set(listed));
}

function withoutEmpty(query: IDataObject): IDataObject {
	return Object.fromEntries(
		Object.entries(query).filter(([, value]) => value !== undefined && value !== ''),
	);
}

function checkListed(name: CallName, input: CallInput): void {
	const unlisted = [
		...unlistedFields(name, input.body ?? {}),
		...Object.keys(input.query ?? {}).filter((key) => !CALLS[name].query.includes(key)),
	];
	if (unlisted.length > 0) {
		throw new UnexpectedError(`The call ${name} has no field ${unlisted.join(', ')}`);
	}
}

/** Sends and returns any answer; only a missing one is an error. Redirects are not followed: the
 * bearer key must not travel to another host. */
export async function send(
	context: Caller,
	options: IHttpRequestOptions,
	itemIndex?: number,
): Promise<Answer> {
	const { baseUrl } = await context.getCredentials<{ baseUrl: string }>(CREDENTIAL);
	try {
		return (await context.helpers.httpRequestWithAuthentication.call(context, CREDENTIAL, {
			timeout: TIMEOUT_MS,
			json: true,
			...options,
			baseURL: baseUrl.trim().replace(/\/+$/, ''),
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
			disableFollowRedirect: true,
		})) as Answer;
	} catch (error) {
		throw unreachableError(context.getNode(), error, itemIndex);
	}
}

export function isSuccess(statusCode: number): boolean {
	return statusCode >= 200 && statusCode < 300;
}

async function sendNamed(context: Caller, name: CallName, input: CallInput): Promise<Answer> {
	checkListed(name, input);
	return await send(
		context,
		{
			method: CALLS[name].method,
			url: pathOf(name, input.path),
			...(input.query ? { qs: withoutEmpty(input.query) } : {}),
			...(input.body ? { body: input.body } : {}),
			...(input.timeoutMs ? { timeout: input.timeoutMs } : {}),
		},
		input.itemIndex,
	);
}

function bodyOrError(context: Caller, answer: Answer, input: CallInput): IDataObject {
	if (isSuccess(answer.statusCode)) {
		// 204 has no body. Anything else is an object; a page of another server must not look like an
		// empty list.
		if (answer.statusCode === 204 || isObject(answer.body)) return asObject(answer.body);
		throw strangerError(context.getNode(), input.itemIndex);
	}
	throw problemError(context.getNode(), answer.statusCode, answer.body, input.itemIndex);
}

/** One call by name; anything but 2xx becomes a NodeApiError with the problem's own words. */
export async function call(
	context: Caller,
	name: CallName,
	input: CallInput = {},
): Promise<IDataObject> {
	return bodyOrError(context, await sendNamed(context, name, input), input);
}

/** The same, with undefined for 404. */
export async function callIfThere(
	context: Caller,
	name: CallName,
	input: CallInput = {},
): Promise<IDataObject | undefined> {
	const answer = await sendNamed(context, name, input);
	return answer.statusCode === 404 ? undefined : bodyOrError(context, answer, input);
}

/** What to report about an action, read from the items that became of it. Pure. */
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import { asObject } from '../../../../shared/problem';
import { textAt, valueAt } from '../../fields';
import { failureOf, isFullResponse } from './failure';
import type { Failure } from './failure';
import { isAction } from './keys';
import type { Match } from './keys';

export interface Settings {
	outcome: 'done' | 'failed' | 'item';
	referenceField: string;
	error: string;
	retryable: boolean | undefined;
	answerField: string;
	acceptUnchanged: boolean;
	/** One of these must be in an answer that counts as done; none: any answer does. */
	mustHold: string[];
}

export interface Outcome extends IDataObject {
	status: 'done' | 'failed';
	reference?: string;
	answer?: IDataObject;
	error?: string;
	retryable?: boolean;
}

export interface Result extends Outcome {
	key: string;
	lease_id?: string;
}

export const MAX_ANSWER_BYTES = 64 * 1024;

const UNCHANGED =
	'The node before passed the action on unchanged, as n8n does when a node fails as a whole and is set to continue: nothing is known to be done. An empty answer makes the HTTP Request node of n8n fail so, for all its items';

const ACTION_FIELDS = new Set([
	'key',
	'kind',
	'stage',
	'attempt',
	'max_attempts',
	'idempotency_key',
	'lease_id',
	'leased_until',
	'order_id',
	'reasons',
	'system',
	'shop',
	'order',
	'data',
	'push_id',
]);

function bytesOf(value: unknown): number {
	return Buffer.byteLength(JSON.stringify(value) ?? '');
}

/** Keeps whole fields, in their order, while they fit; names those it left out. */
export function limited(answer: IDataObject): IDataObject {
	if (bytesOf(answer) <= MAX_ANSWER_BYTES) return answer;
	const kept: IDataObject = {};
	const dropped: string[] = [];
	let room = MAX_ANSWER_BYTES;
	for (const [name, value] of Object.entries(answer)) {
		const size = bytesOf({ [name]: value });
		if (size <= room) {
			kept[name] = value;
			room -= size;
		} else dropped.push(name);
	}
	return { ...kept, kette_dropped_fields: dropped };
}

function bodyOf(json: IDataObject): IDataObject {
	if (!isFullResponse(json)) return json;
	const body = asObject(json.body);
	return Object.keys(body).length > 0 ? body : { body: json.body };
}

/** The vendor's part of an item; the action that was merged into it is known to the service. */
function answerOf(json: IDataObject): IDataObject {
	const body = bodyOf(json);
	if (!isAction(body)) return body;
	return Object.fromEntries(Object.entries(body).filter(([name]) => !ACTION_FIELDS.has(name)));
}

function withAnswer(outcome: Outcome, answer: IDataObject | undefined): Outcome {
	return answer && Object.keys(answer).length > 0
		? { ...outcome, answer: limited(answer) }
		: outcome;
}

function stated(json: IDataObject): Outcome | undefined {
	if (json.status !== 'done' && json.status !== 'failed') return undefined;
	const outcome: Outcome = { status: json.status };
	const reference = textAt(json, 'reference');
	if (reference !== undefined) outcome.reference = reference;
	if (typeof json.error === 'string' && json.error !== '') outcome.error = json.error;
	if (typeof json.retryable === 'boolean') outcome.retryable = json.retryable;
	return withAnswer(outcome, asObject(json.answer));
}

/** Failed for the reason that the workflow's author gave, with the error of the item if it has one. */
function given(json: IDataObject, failure: Failure | undefined, settings: Settings): Outcome {
	const reasons = [settings.error, failure?.message ?? ''].filter((reason) => reason !== '');
	const outcome: Outcome = {
		status: 'failed',
		error: reasons.join(': ') || 'No reason given',
		retryable: settings.retryable ?? failure?.retryable ?? false,
	};
	return withAnswer(outcome, failure ? failure.answer : answerOf(json));
}

function holdsOne(answer: IDataObject, paths: string[]): boolean {
	return paths.length === 0 || paths.some((path) => (valueAt(answer, path) ?? '') !== '');
}

function hollow(paths: string[]): string {
	return `The answer has no ${paths.map((path) => `"${path}"`).join(' or ')}, so it is not known whether it was done`;
}

/** The outcome of one item; undefined if the item had to state it and does not. */
export function outcomeOf(item: INodeExecutionData, settings: Settings): Outcome | undefined {
	const own = settings.outcome === 'item' ? stated(item.json) : undefined;
	if (own) return own;
	const failure = failureOf(item);
	if (settings.outcome === 'failed') return given(item.json, failure, settings);
	if (failure) {
		const { message: error, retryable, answer } = failure;
		return withAnswer({ status: 'failed', error, retryable }, answer);
	}
	if (settings.outcome === 'item') return undefined;
	const answer = answerOf(item.json);
	if (Object.keys(answer).length === 0 && isAction(item.json) && !settings.acceptUnchanged) {
		return { status: 'failed', error: UNCHANGED, retryable: true };
	}
	if (!holdsOne(answer, settings.mustHold)) {
		return withAnswer({ status: 'failed', error: hollow(settings.mustHold), retryable: true }, answer);
	}
	const reference = textAt(answer, settings.referenceField);
	return withAnswer({ status: 'done', ...(reference === undefined ? {} : { reference }) }, answer);
}

/** Several items of one action are one result: failed if one failed, else with all the answers. */
export function resultOf(match: Match, outcomes: Outcome[], answerField: string): Result {
	const whole = outcomes.find((outcome) => outcome.status === 'failed') ?? outcomes[0];
	const result: Result = { key: match.key, status: 'failed', ...whole };
	if (match.leaseId !== undefined) result.lease_id = match.leaseId;
	if (result.status === 'done' && (answerField !== '' || outcomes.length > 1)) {
		const answers = outcomes.flatMap((outcome) => (outcome.answer ? [outcome.answer] : []));
		result.answer = { [answerField === '' ? 'items' : answerField]: answers };
	}
	return result;
}

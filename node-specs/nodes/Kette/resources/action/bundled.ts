/**
 * Answers to a bundle (Action: Bundle): one request was made for several actions, and its answer
 * holds a list. Each action takes the answers that carry one of its own values. Pure.
 */
import type { IDataObject, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import { asObject } from '../../../../shared/problem';
import { valueAt, valuesAt } from '../../fields';
import { failureOf, isFullResponse } from './failure';
import { matchIn } from './keys';
import type { Match } from './keys';
import { limited, outcomeOf } from './results';
import type { Outcome, Settings } from './results';

export interface Matching {
	answersField: string[];
	failuresField: string[];
	answerMatch: string[];
	actionMatch: string;
}

export const bundleFields: INodeProperties = {
	displayName: 'Answers to a Bundle',
	name: 'bundle',
	type: 'collection',
	placeholder: 'Add option',
	default: {},
	description:
		'For answers to requests that were made for several actions at once (Action: Bundle)',
	options: [
		{
			displayName: 'Action Match',
			name: 'actionMatch',
			type: 'string',
			default: '',
			placeholder: 'e.g. idempotency_key',
			description:
				'Field of an action by which its answers are found. If it is a list, the action needs an answer to each of its values.',
		},
		{
			displayName: 'Answer Match',
			name: 'answerMatch',
			type: 'string',
			default: '',
			placeholder: 'e.g. external_reference',
			description:
				'Field of an answer that must equal it. Several places, separated by commas, are tried in order.',
		},
		{
			displayName: 'Answers Field',
			name: 'answersField',
			type: 'string',
			default: '',
			placeholder: 'e.g. parcels',
			description: 'Where in the item the list of answers is. Leave empty if the body is the list.',
		},
		{
			displayName: 'Failures Field',
			name: 'failuresField',
			type: 'string',
			default: '',
			placeholder: 'e.g. failed_parcels',
			description: 'Where in the item the list of what was refused is',
		},
	],
};

const NO_ANSWER = 'The answer to the bundle says nothing about this action; it is tried alone next';

function pathsOf(value: unknown): string[] {
	return String(value ?? '')
		.split(',')
		.map((path) => path.trim())
		.filter((path) => path !== '');
}

/** undefined: the items are answers to single actions. */
export function matchingOf(given: IDataObject): Matching | undefined {
	const actionMatch = String(given.actionMatch ?? '').trim();
	if (actionMatch === '') return undefined;
	return {
		actionMatch,
		answerMatch: pathsOf(given.answerMatch),
		answersField: pathsOf(given.answersField),
		failuresField: pathsOf(given.failuresField),
	};
}

function listAt(body: unknown, paths: string[]): IDataObject[] {
	const lists = paths.map((path) => valueAt(body, path));
	return lists.flatMap((list) => (Array.isArray(list) ? list.map(asObject) : []));
}

/** "name: This field is required." from any depth of an error object. */
export function faultText(fault: unknown): string {
	if (Array.isArray(fault)) return fault.map(faultText).join(', ');
	if (typeof fault !== 'object' || fault === null) return String(fault ?? '');
	return Object.entries(fault)
		.map(([name, value]) => `${name}: ${faultText(value)}`)
		.join('; ');
}

function refusal(entry: IDataObject): Outcome {
	const fault = entry.errors ?? entry.error ?? entry.message;
	const error = (faultText(fault) || 'Refused without a reason').slice(0, 1000);
	return { status: 'failed', error, retryable: false, answer: limited({ errors: fault ?? error }) };
}

type ByValue = Map<string, Outcome[]>;

function sorted(entries: IDataObject[], paths: string[], read: (one: IDataObject) => Outcome) {
	const byValue: ByValue = new Map();
	for (const entry of entries) {
		const value = paths.flatMap((path) => valuesAt(entry, path))[0];
		if (value === undefined) continue;
		byValue.set(value, [...(byValue.get(value) ?? []), read(entry)]);
	}
	return byValue;
}

/** Refused entries often repeat what was sent under a name of its own, such as "parcel". */
function refusedPaths(paths: string[], entries: IDataObject[]): string[] {
	const outer = Object.keys(entries[0] ?? {});
	return [...paths, ...outer.flatMap((name) => paths.map((path) => `${name}.${path}`))];
}

/** What became of each action of the bundle. An action may have several outcomes, one per value. */
export function outcomesOf(
	actions: IDataObject[],
	item: INodeExecutionData,
	settings: Settings,
	matching: Matching,
): Array<{ match: Match; outcomes: Outcome[] }> {
	const failure = failureOf(item);
	const body = isFullResponse(item.json) ? item.json.body : item.json;
	const whole = Array.isArray(body) ? body.map(asObject) : [];
	const answers = whole.length > 0 ? whole : listAt(body, matching.answersField);
	const refused = listAt(body, matching.failuresField);
	const done = sorted(
		answers,
		matching.answerMatch,
		(json) => outcomeOf({ json }, settings) ?? refusal(json),
	);
	const failed = sorted(refused, refusedPaths(matching.answerMatch, refused), refusal);
	const outcomesFor = (action: IDataObject): Outcome[] => {
		// What is wrong with a bundle need not be wrong with each of its actions.
		if (failure) return [{ status: 'failed', error: failure.message, retryable: true }];
		const values = [...new Set(valuesAt(action, matching.actionMatch))];
		const found = values.flatMap((value) => [
			...(failed.get(value) ?? []),
			...(done.get(value)?.slice(0, 1) ?? []),
		]);
		const isWhole = values.length > 0 && values.every((v) => done.has(v) || failed.has(v));
		return isWhole ? found : [{ status: 'failed', error: NO_ANSWER, retryable: true }];
	};
	return actions.flatMap((action) => {
		const match = matchIn(action);
		return match ? [{ match, outcomes: outcomesFor(action) }] : [];
	});
}

import { sleep } from 'n8n-workflow';
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { call } from '../../../../shared/api';
import { asObject } from '../../../../shared/problem';
import type { Operation } from '../../operation';
import { failedItem, withItem } from '../../operation';
import { answerOf } from './answer';

// A page of orders is stored one by one before the service answers.
const TIMEOUT_MS = 60_000;
// The service never asks for more; a wrong answer must not hold an execution for ever.
const MOST_WAIT_S = 120;

/** What the node remembers from one round to the next, like n8n's own Loop Over Items. */
interface Memory extends IDataObject {
	pullId?: string;
}

async function nextTurn(context: IExecuteFunctions, item: INodeExecutionData, memory: Memory) {
	// Never an empty object: n8n's HTTP client would send no body at all.
	const body: IDataObject = memory.pullId
		? { pull_id: memory.pullId, answer: answerOf(item.json) }
		: { pull_id: '' };
	const turn = await call(context, 'pull.next', {
		path: { system_id: context.getNodeParameter('systemId', 0) as string },
		body,
		itemIndex: 0,
		timeoutMs: TIMEOUT_MS,
	});
	memory.pullId = turn.step === 'ask' ? String(turn.pull_id ?? '') : '';
	return turn;
}

function itemOf(turn: IDataObject): INodeExecutionData {
	const { ask, ...rest } = turn;
	return { json: { ...rest, ...asObject(ask) }, pairedItem: { item: 0 } };
}

/**
 * One node makes the whole loop: it begins a pull, and each time the shop's answer comes back to it,
 * it hands the answer in and puts the next request out. Without expressions, and without a second
 * execution.
 */
export const operation: Operation = {
	option: {
		name: 'Next',
		value: 'next',
		action: 'Ask what to read next',
		description: 'Begin a pull, or hand in what the shop answered and get the next request',
	},
	properties: [
		{
			displayName: 'System ID',
			name: 'systemId',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. woo-main',
			description: 'ID of the shop, as in the setup file of the service',
			hint: 'Lead the output Ask to an HTTP Request (full response, as text, never error) and both its outputs back here',
		},
	],
	run: async (context, items) => {
		const [item] = items;
		if (!item) return [[], []];
		try {
			const turn = await nextTurn(context, item, context.getContext('node') as Memory);
			if (turn.step !== 'ask') return [[], [itemOf(turn)]];
			const waitS = Math.min(Math.max(Number(turn.wait_s) || 0, 0), MOST_WAIT_S);
			if (waitS > 0) await sleep(waitS * 1000);
			return [[itemOf(turn)], []];
		} catch (error) {
			if (!context.continueOnFail()) throw withItem(context, error, 0);
			return [[], [failedItem(error, 0)]];
		}
	},
};
